"""One file per command of the command line: a few lines around a public function each."""

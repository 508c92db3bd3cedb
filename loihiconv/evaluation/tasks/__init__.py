"""What outputs are judged by: one contract for every task, read from a network's end and the labels, or given."""

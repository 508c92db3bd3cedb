"""The process graph that goes to a Loihi, and how to run it, there or in Lava's CPU simulator.

The graph is made of Lava's own processes, as its compiler for the chip knows them, and of one neuron of ours for the
realization "native". What surrounds it runs on the host: where samples come from and where spikes go. `graph` builds it,
`runner` runs it sample by sample, `loihi` is the seam to Intel's lava-loihi.

Everything but `loihi` is tested spike for spike in Lava's CPU simulator. `loihi` follows public code that uses lava-loihi and is
tested with a stand-in for it. NOTHING HERE HAS TOUCHED SILICON.
"""

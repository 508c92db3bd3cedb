"""How many words of a core's synapse memory lists of synapses take.

Loihi 1, after the public parts of nengo-loihi (``SynapseConfig.bits_per_axon`` and ``Synapse.bits``) and Davies et al. 2018
("Loihi", IEEE Micro 38(1)), which describes lists per axon, their compression, and lists that axons share:

- Behind an input axon lies a list of synapses. It is cut into blocks of at most 64, each with a header of 10 bits (format and
  count) and rounded up to whole words.
- An entry holds weight, delay and the target's index, wide enough for every compartment of the core: population axons reach
  only so far with their base, and slices of several populations may share a core. (Lists without index fields exist; they need
  targets without gaps from the base on, so nothing here counts on them.)
- Weights that are zero are stored like all others, so the count does not depend on the training.

Loihi 2: how it packs its kernels is not published. The number of distinct weights times their width is what no encoding without
sharing among weights can go below; it is used as it stands and marked uncertain.
"""

from __future__ import annotations

BLOCK_SYNAPSES = 64
BLOCK_HEADER_BITS = 10
INDEX_BITS = (6, 7, 8, 9, 10, 11, 12)


def index_bits(compartments: int) -> int:
    """Width of the index field that can tell so many compartments, at most 4096, apart."""
    return next((bits for bits in INDEX_BITS if compartments <= 2**bits), INDEX_BITS[-1])


def delay_bits(delay: int) -> int:
    """Width of the delay field; 0 where nothing waits."""
    return delay.bit_length()


def list_words(entries: int, entry_bits: int, word_bits: int) -> int:
    """Words of a list of so many entries.

    n entries of b bits: floor(n / 64) blocks of ceil((64 b + 10) / word) words, and one of ceil((r b + 10) / word) for the
    rest r = n mod 64, if there is one.
    """
    full, rest = divmod(entries, BLOCK_SYNAPSES)
    blocks = [BLOCK_SYNAPSES] * (full > 0), [rest] * (rest > 0)
    whole, partial = (sum(-(-(n * entry_bits + BLOCK_HEADER_BITS) // word_bits) for n in block) for block in blocks)
    return full * whole + partial


def kernel_words(weights: int, *, weight_bits: int, word_bits: int) -> int:
    """Words that so many weights take without any overhead: ceil(weights * bits / word)."""
    return -(-weights * weight_bits // word_bits)

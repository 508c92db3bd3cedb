"""The network and the data of ``loihiconv demo``: scikit-learn's handwritten digits and a small trained CNN.

Nothing is downloaded: the 1,797 images of 8x8 pixels come with scikit-learn, the weights (`digits.safetensors`) with this
package. The network holds a bit of everything that conversion handles: batch norm, padding, biases, average pooling and
dense layers. ``python -m loihiconv.demo.train`` makes the weights again, in seconds.

`digits` gives the images, `digits_cnn` the trained network, `untrained` the same network before training.
"""

from loihiconv.demo.data import digits
from loihiconv.demo.model import digits_cnn, untrained

__all__ = ["digits", "digits_cnn", "untrained"]

"""The data sets that the package knows: their files, checksums, licenses and addresses.

A new data set is one more entry of `CATALOGUE`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from mlds_bench.common.names import unknown_name


class UnknownData(ValueError):
    """There is no data set of this name; one line with the nearest right one."""


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes:
        path: below the folder of the set, with forward slashes.
        size: bytes of the file as it is published.
        sha256: of the file as it is published, in hexadecimal.
        urls: where it is published; they are tried in this order.
        gzipped: whether the file is published plain and kept gzipped. Its size and checksum are
            then those of the plain content, because gzip programs differ in the bytes they write.
    """

    path: str
    size: int
    sha256: str
    urls: tuple[str, ...]
    gzipped: bool = False


@dataclass(frozen=True)
class DataSet:
    """Files that belong together: the set is here when all of them are.

    Attributes:
        name: in commands, and its folder below the data folder.
        summary: what it is, in a few words.
        license: under which it is published.
        source: who made it, and where it is described.
        files: all of them.
    """

    name: str
    summary: str
    license: str
    source: str
    files: tuple[DataFile, ...]

    @property
    def checksum(self) -> str:
        """sha256 over the checksums of all files; no file is read."""
        lines = (f"{file.sha256}  {file.path}\n" for file in self.files)
        return sha256("".join(lines).encode()).hexdigest()


def find_set(name: str) -> DataSet:
    """The data set of this name.

    Raises:
        UnknownData: there is none.
    """
    if name not in CATALOGUE:
        raise UnknownData(unknown_name("data set", name, CATALOGUE))
    return CATALOGUE[name]


def _idx_files(sums: dict[str, tuple[int, str]], *mirrors: str) -> tuple[DataFile, ...]:
    """Files that every mirror has under their own names."""
    return tuple(
        DataFile(path, size, digest, tuple(mirror + path for mirror in mirrors))
        for path, (size, digest) in sums.items()
    )


_MNIST = DataSet(
    name="mnist",
    summary="handwritten digits, 60,000 + 10,000 images of 28 x 28 in 10 classes",
    license="CC BY-SA 3.0",
    source="LeCun, Cortes and Burges 1998, http://yann.lecun.com/exdb/mnist",
    files=_idx_files(
        {
            "train-images-idx3-ubyte.gz": (
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            "train-labels-idx1-ubyte.gz": (
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            "t10k-images-idx3-ubyte.gz": (
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            "t10k-labels-idx1-ubyte.gz": (
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        },
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)

_FASHION_MNIST = DataSet(
    name="fashion_mnist",
    summary="clothes, 60,000 + 10,000 images of 28 x 28 in 10 classes",
    license="MIT",
    source="Xiao, Rasul and Vollgraf 2017, https://github.com/zalandoresearch/fashion-mnist",
    files=_idx_files(
        {
            "train-images-idx3-ubyte.gz": (
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            "train-labels-idx1-ubyte.gz": (
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            "t10k-images-idx3-ubyte.gz": (
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            "t10k-labels-idx1-ubyte.gz": (
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        },
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
)

_CIFAR10 = DataSet(
    name="cifar10",
    summary="photographs, 50,000 + 10,000 color images of 32 x 32 in 10 classes",
    license="none stated; free for research, with a citation",
    source="Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html",
    files=(
        DataFile(
            "cifar-10-binary.tar.gz",
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            (
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "https://cave.cs.toronto.edu/kriz/cifar-10-binary.tar.gz",
            ),
        ),
    ),
)

_DOPAMINE_URL = (
    "https://raw.githubusercontent.com/google/dopamine/"
    "8842298e89cfe42c80ea71f63913017696785f0f/baselines/atari/data/"
)

_DOPAMINE = DataSet(
    name="atari_reference/dopamine",
    summary="published learning curves of DQN, C51, Rainbow and IQN on Pong and Breakout",
    license="Apache-2.0",
    source="Castro et al. 2018, https://github.com/google/dopamine",
    files=(
        DataFile(
            "pong.json.gz",
            470_795,
            "6a277f08e3574957b948b0ee4fe6b80aaccd2e1e5c781e90dfd6d4447a6c47a7",
            (f"{_DOPAMINE_URL}pong.json",),
            gzipped=True,
        ),
        DataFile(
            "breakout.json.gz",
            472_022,
            "9dd157ca3a9d49ee236b99e2ab26267c2113362276b3f089c1051338eb96b70d",
            (f"{_DOPAMINE_URL}breakout.json",),
            gzipped=True,
        ),
    ),
)

CATALOGUE: dict[str, DataSet] = {
    data.name: data for data in (_MNIST, _FASHION_MNIST, _CIFAR10, _DOPAMINE)
}
"""Name -> data set."""

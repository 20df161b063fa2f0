"""What a fine-tuned network answers for pictures that it never learned from."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from effnet_edu.ground.atomic import write_atomically
from effnet_edu.ground.checks import quoted, whole_number
from effnet_edu.ground.preprocessing import Preprocessing
from effnet_edu.ground.safetensors_file import tensors_and_notes
from effnet_edu.ground.watch import Watch
from effnet_edu.images.labelled import LabelledImages
from effnet_edu.images.preprocess import normalise
from effnet_edu.model.modes import evaluation_mode
from effnet_edu.model.network import EfficientNet
from effnet_edu.training.share import wilson_interval

#: Pixels of the pictures that go through a network at once.
_PIXELS_AT_ONCE = 32 * 224 * 224
#: Classes and letters of a name that the confusion matrix shows in words.
_LONGEST_NAME = 16


@dataclass(frozen=True)
class Mistake:
    """A picture that was taken for another class.

    Attributes:
        picture: Its pixels, uint8.  # (C, side, side)
        file: Where it was read from, or empty.
        label: Its class.
        predicted: The class that the network held most likely.
        probability: How likely the network held that, from 0 to 1.
    """

    picture: Tensor
    file: str
    label: str
    predicted: str
    probability: float

    def __str__(self) -> str:
        return f"{self.file or 'a picture'}: {self.predicted} ({self.probability:.0%}), not {self.label}"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a fine-tuned network answered for the pictures that were held out.

    Attributes:
        pictures: Those that were held out.
        probabilities: Of each class for each of them.  # (N, classes)
        classifier_accuracy: Share that was right when only the classifier had been fitted.
        calibration: Some of the pictures that it learned from, uint8, to find ranges for int8.
            # (n, C, side, side)
        origin: The published weights that the training began with and their licence, or empty.
    """

    pictures: LabelledImages
    probabilities: Tensor
    classifier_accuracy: float
    calibration: Tensor
    origin: str

    @property
    def predicted(self) -> Tensor:  # (N,)
        """The class that was held most likely for each picture, as its index."""
        return self.probabilities.argmax(1)

    @property
    def correct(self) -> int:
        """How many pictures were classified correctly."""
        return int((self.predicted == self.pictures.labels).sum())

    @property
    def accuracy(self) -> float:
        """Share of the pictures that were classified correctly."""
        return self.correct / len(self.pictures)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on all such pictures lies with 95%, from 0 to 1."""
        return wilson_interval(self.correct, len(self.pictures))

    @property
    def confusion(self) -> Tensor:  # (classes, classes)
        """How many pictures of each class (row) were taken for each class (column)."""
        classes = self.pictures.num_classes
        pairs = self.pictures.labels * classes + self.predicted
        return pairs.bincount(minlength=classes**2).reshape(classes, classes)

    def worst_mistakes(self, count: int = 12) -> tuple[Mistake, ...]:
        """Return the mistakes in which the right class was held least likely, the worst first.

        Args:
            count: How many at most, 1 or more.
        """
        whole_number("count", count)
        labels, names, files = self.pictures.labels, self.pictures.class_names, self.pictures.files
        right = self.probabilities.gather(1, labels[:, None]).squeeze(1)
        wrong = [index for index in right.argsort().tolist() if self.predicted[index] != labels[index]]
        return tuple(
            Mistake(
                picture=self.pictures.images[index],
                file=files[index] if files else "",
                label=names[labels[index]],
                predicted=names[self.predicted[index]],
                probability=float(self.probabilities[index].max()),
            )
            for index in wrong[:count]
        )

    def confusion_table(self) -> str:
        """Return the confusion matrix in letters: a class a line, with how many were taken for which."""
        names = [name[:_LONGEST_NAME] for name in self.pictures.class_names]
        width = max(len(name) for name in names)
        lines: list[str] = []
        for name, row in zip(names, self.confusion.tolist(), strict=True):
            others = [
                f"{count} {other}" for other, count in zip(names, row, strict=True) if count and other != name
            ]
            right = row[len(lines)]
            lines.append(
                f"{name:<{width}}  {right} of {sum(row)}" + (f"; {', '.join(others)}" if others else "")
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.accuracy:.1%} of {len(self.pictures):,} held-out pictures (95% interval {low:.1%} to "
            f"{high:.1%}); {self.classifier_accuracy:.1%} with the classifier alone"
        )


def answers(network: EfficientNet, images: Tensor, how: Preprocessing, watch: Watch = Watch()) -> Tensor:
    """Return what a network answers in evaluation, on the CPU.

    Args:
        network: The network; afterwards each of its modules has the mode that it had.
        images: Pixels of the network's side, uint8.  # (N, C, side, side)
        how: How pixels are normalised.
        watch: Told the share done; asked before each batch whether to stop.

    Raises:
        Cancelled: `watch` said so.
    """
    found = []
    with torch.no_grad(), evaluation_mode(network):
        for batch in torch.split(images, max(1, _PIXELS_AT_ONCE // images.shape[-1] ** 2)):
            watch.check()
            found.append(network(normalise(batch.to(network.device), how)).float().cpu())
            watch.progress(sum(map(len, found)) / len(images))
    return torch.cat(found)


def write_evaluation(evaluation: Evaluation, file: Path) -> None:
    """Write an evaluation with its pictures.

    Args:
        evaluation: What to keep.
        file: Where; an older file is replaced.
    """
    pictures = evaluation.pictures
    tensors = {
        "images": pictures.images,
        "labels": pictures.labels,
        "probabilities": evaluation.probabilities,
        "calibration": evaluation.calibration,
    }
    words = {
        "name": pictures.name,
        "source": pictures.source,
        "class_names": pictures.class_names,
        "files": pictures.files,
        "classifier_accuracy": evaluation.classifier_accuracy,
        "origin": evaluation.origin,
    }
    content = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_atomically(file, save(content, {"evaluation": json.dumps(words)}))


def read_evaluation(file: Path) -> Evaluation:
    """Return an evaluation that `write_evaluation` wrote.

    Args:
        file: Its file.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        tensors, notes = tensors_and_notes(file)
        words = json.loads(notes["evaluation"])
        pictures = LabelledImages(
            words["name"],
            tensors["images"],
            tensors["labels"],
            tuple(words["class_names"]),
            words["source"],
            tuple(words["files"]),
        )
        if tensors["probabilities"].shape != (len(pictures), pictures.num_classes):
            raise ValueError("the probabilities are not those of its pictures")
        return Evaluation(
            pictures,
            tensors["probabilities"],
            float(words["classifier_accuracy"]),
            tensors["calibration"],
            str(words["origin"]),
        )
    except Exception as error:  # safetensors and json raise their own kinds, and a header may hold anything
        raise ValueError(f"{file} holds no evaluation ({quoted(str(error))}); it is damaged.") from error

"""The configuration as pydantic models: every key, its type, its default and its meaning.

The models are the only description of the configuration: ``schemas/config.schema.yaml`` and the
tables of ``config/README.md`` are generated from them.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from balmi.config.automatic import AUTO, members_for, repeats_for
from balmi.config.balancing import Balancing
from balmi.config.kinds import Kind
from balmi.errors import shown_or_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

# Names become names of files: `.` and `..` are none, and a file system has its limit.
NAME_PATTERN = r"^[._-]*[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=100)]
TAKEN = ("overview.html", "overview.log", "report.zip", ".gitkeep")
Text = Annotated[str, Field(min_length=1)]
JOINT = "joint"
COPY = "{}-copy"  # the name of a duplicated modality's copy
CONTROL_KEYS = (
    "without",
    "noise",
    "shuffled",
    "duplicated",
)  # keys of a control that name modalities

# What stands for a missing value in tables, whatever its case; an empty cell always does.
MISSING_TEXTS = (
    *("NA", "N/A", "#N/A", "<NA>", "NaN", "NaT", "null", "None", "--", "'--"),
    *("[Not Available]", "[Not Applicable]", "[Not Evaluated]", "[Unknown]", "[Discrepancy]"),
)

LARGEST_SHARED_INFORMATION = 1.27  # of the Gaussian design, by its fixed correlations


def _refusal(key: str, found: str, allowed: str) -> PydanticCustomError:
    """Return an error about `key`, which lies beside the validated field, or below it."""
    context = {"key": key, "found": found, "allowed": allowed}
    return PydanticCustomError("refused", "{key}: {found}; allowed: {allowed}", context)


MOST_REPEATS, MOST_MEMBERS = 100, 20


def _automatic(most: int) -> Callable[..., int | str]:
    """Return a validator of numbers that may be left to the size of a cohort."""

    def validate(
        value: Any, handler: Callable[[Any], int | str], info: ValidationInfo
    ) -> int | str:
        try:
            if not isinstance(value, bool):
                return handler(value)
        except ValidationError:
            pass  # one refusal in place of one per alternative
        allowed = f"{AUTO}, or a whole number from 1 to {most}"
        raise _refusal(str(info.field_name), shown_or_nothing(value), allowed)

    return validate


class Method(StrEnum):
    """The classifiers that can be compared."""

    POOLED = "pooled"
    UNIMODAL_POOLED = "unimodal-pooled"
    BALANCED = "balanced"
    UNIFORM = "uniform"
    CONCAT_MLP = "concat-mlp"
    CONCAT_LR = "concat-lr"
    STACKED_LR = "stacked-lr"
    UNIMODAL_LR = "unimodal-lr"
    LATE_FUSION = "late-fusion"
    MAJORITY = "majority"
    CONCAT_LR_BALANCED = "concat-lr-balanced"
    CONCAT_SVM = "concat-svm"
    CONCAT_FOREST = "concat-forest"
    CONCAT_BOOSTING = "concat-boosting"
    NNLS_STACK = "nnls-stack"
    STACKED_LR_BALANCED = "stacked-lr-balanced"
    SNF = "snf"
    VCDN = "vcdn"
    ENSEMBLE = "ensemble"
    ABSENCE_LR = "absence-lr"


# The other methods run only when asked for.
DEFAULT_METHODS = (
    *(Method.POOLED, Method.UNIMODAL_POOLED),
    *(Method.BALANCED, Method.UNIFORM, Method.CONCAT_MLP, Method.CONCAT_LR),
    *(Method.STACKED_LR, Method.UNIMODAL_LR, Method.LATE_FUSION),
    *(Method.CONCAT_SVM, Method.NNLS_STACK),
)


# Those that a final model can be made of: what they learn can be written down as arrays.
FINAL_METHODS = (
    *(Method.POOLED, Method.UNIMODAL_POOLED, Method.STACKED_LR, Method.STACKED_LR_BALANCED),
    *(Method.UNIMODAL_LR, Method.LATE_FUSION, Method.CONCAT_LR, Method.CONCAT_LR_BALANCED),
    *(Method.CONCAT_SVM, Method.CONCAT_FOREST, Method.NNLS_STACK, Method.MAJORITY),
)


class PrimaryMetric(StrEnum):
    """The metrics that verdicts can follow.

    Calibration error is none of them: it does not tell how well classes are told apart, and a
    constant forecast of the class frequencies has next to none.
    """

    MACRO_F1 = "macro_f1"
    BALANCED_ACCURACY = "balanced_accuracy"
    ACCURACY = "accuracy"
    MACRO_AUROC = "macro_auroc"
    MACRO_AUPRC = "macro_auprc"
    MCC = "mcc"
    LOG_LOSS = "log_loss"
    BRIER = "brier"


class Teacher(StrEnum):
    """The sources of soft targets in the distillation."""

    STRONGEST = "strongest"
    ENSEMBLE = "ensemble"
    CLASS_BALANCED = "class-balanced"
    NONE = "none"


class Expert(StrEnum):
    """What a network method's prediction is made of; several are pooled by learned weights.

    linear: stacked logistic regression; learned: logistic regression on what the modalities' heads
    say; the others are joint heads of the network.
    """

    LINEAR = "linear"
    LEARNED = "learned"
    MEAN = "mean"
    INFORMATION = "information"
    CONCATENATION = "concatenation"
    GATE = "gate"

    @property
    def is_head(self) -> bool:
        """Whether the expert is a joint head of the network."""
        return self not in {Expert.LINEAR, Expert.LEARNED}


class Design(StrEnum):
    """The designs of simulated cohorts; every simulated entry of the catalogue has one.

    planted: modalities of known strength, one of them missing in a share of the samples.
    gaussian: teacher, student and label are jointly Gaussian, with a dial for what both share.
    interaction: two modalities of which neither tells anything of the label, and both together do.
    citeseq: single cells of twelve types, with sparse counts of RNA and counts of antibodies.
    """

    PLANTED = "planted"
    GAUSSIAN = "gaussian"
    INTERACTION = "interaction"
    CITESEQ = "citeseq"

    @property
    def dials(self) -> tuple[str, ...]:
        """The keys of `Simulation` that only this design has."""
        dials = {Design.PLANTED: ("missing",), Design.GAUSSIAN: ("shared_information",)}
        return dials.get(self, ())

    @property
    def foreign(self) -> frozenset[str]:
        """The keys of `Simulation` that only other designs have."""
        return frozenset(key for other in Design if other is not self for key in other.dials)


class Section(BaseModel):
    """A part of the configuration: immutable, and without unknown keys.

    Attributes
    ----------
    idle
        Keys that change how jobs run, and no result.
    advanced
        Keys that a configuration has below ``advanced`` (`balmi.config.advanced`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    idle: ClassVar[frozenset[str]] = frozenset()
    advanced: ClassVar[frozenset[str]] = frozenset()

    @field_validator("*", mode="before")
    @classmethod
    def _number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse a truth for a number: YAML makes one of yes, no, on and off."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and kind in (int, float):
            found = f"{str(value).lower()}, which YAML also makes of yes, no, on and off"
            raise _refusal(str(info.field_name), found, "a number")
        return value

    def deciding(self) -> dict[str, Any]:
        """Return the keys that results depend on, of this section and of those inside it."""
        inner = {
            name: value.deciding()
            for name, value in self
            if isinstance(value, Section) and name not in self.idle
        }
        return self.model_dump(mode="json", exclude=set(self.idle)) | inner


class ModalityFile(Section):
    """One table of measurements: samples in rows, features in columns."""

    path: Text = Field(description="file of measurements; its ending says the format")
    kind: Kind = Field(description="kind of omics; it decides the preprocessing")
    modality: Text | None = Field(
        default=None,
        description="modality inside an h5mu file, or feature type of counts as Cell Ranger writes"
        " them (default: the modality's own name)",
    )
    layer: Text | None = Field(
        default=None, description="layer of an h5ad or h5mu file that is read in place of its `X`"
    )


class Simulation(Section):
    """A simulated cohort with planted information; see resources/README.md."""

    samples: int = Field(
        default=400,
        ge=120,
        description="number of samples (`simulated-interaction`: 1000 unless set;"
        " `simulated-citeseq`: cells, 2000 unless set)",
    )
    features: int = Field(
        default=40,
        ge=4,
        description="features per modality (`simulated-interaction`: 50 unless set;"
        " `simulated-citeseq`: genes, 20000 unless set, and an antibody per hundred of them)",
    )
    missing: float = Field(
        default=0.2,
        ge=0,
        le=0.6,
        description="share of samples that lack the weak modality (`simulated`)",
    )
    shared_information: float = Field(
        default=0.3,
        json_schema_extra={"minimum": 0, "maximum": LARGEST_SHARED_INFORMATION},
        description="I(Z_T; Z_S) of the latent teacher and student in nats (`simulated-gaussian`)",
    )
    seed: int = Field(default=0, ge=0, description="seed of the simulation")

    @field_validator("shared_information")
    @classmethod
    def _possible(cls, value: float) -> float:
        # One refusal with the whole range, which says why there is one.
        if not 0 <= value <= LARGEST_SHARED_INFORMATION:
            allowed = (
                f"0 to {LARGEST_SHARED_INFORMATION} nats, since what teacher and student know of"
                " the label bounds what they share"
            )
            raise _refusal("shared_information", str(value), allowed)
        return value


class Scheme(StrEnum):
    """How test folds are made where a dataset brings none of its own."""

    K_FOLD = "k-fold"
    LEAVE_ONE_GROUP_OUT = "leave-one-group-out"


class Control(Section):
    """Changes whose effect is known beforehand, made when the cohort is assembled."""

    without: list[str] = Field(default=[], description="modalities to leave out")
    noise: list[str] = Field(
        default=[], description="modalities whose values become independent standard normal noise"
    )
    shuffled: list[str] = Field(
        default=[],
        description="modalities whose rows are permuted among the samples that have them",
    )
    duplicated: list[str] = Field(
        default=[], description="modalities that get a second copy, named `(name)-copy`"
    )
    shuffled_labels: bool = Field(
        default=False, description="whether labels are permuted among all samples"
    )
    seed: int = Field(default=0, ge=0, description="seed of noise and permutations")


class Dataset(Section):
    """One cohort: either files of your own, or an entry of the shipped catalogue.

    Attributes
    ----------
    brought
        Keys that an entry of the catalogue brings, which no configuration sets beside it.
    """

    brought: ClassVar[tuple[str, ...]] = (
        *("samples", "label", "label_from", "group", "folds", "modalities"),
    )

    catalogue: str | None = Field(
        default=None,
        description="entry of the shipped catalogue; a dataset with nothing below it is the entry"
        " of its own name",
    )
    samples: Text | None = Field(
        default=None, description="table with one row per sample; first column the sample id"
    )
    label: Text | None = Field(default=None, description="column of samples that holds the class")
    label_from: list[Name] = Field(
        default=[],
        description="modalities that the classes were derived from, such as the expression that"
        " subtypes were called from; the trust checklist then warns that what these tell of the"
        " label is circular",
    )
    group: Text | None = Field(
        default=None,
        description="column of samples; one group never lies on both sides of a split",
    )
    folds: list[Text] = Field(
        default=[],
        description="columns of samples that name the test fold of every sample, one column per"
        " repeat; in place of evaluation.scheme, repeats and folds",
    )
    missing: list[str] = Field(
        default=list(MISSING_TEXTS),
        description="texts that stand for nothing in label, group and folds, whatever their case,"
        " besides an empty cell; leave out the one that is the name of a class",
    )
    modalities: dict[Name, ModalityFile] = Field(
        default_factory=dict, description="name of a modality -> its file; any number of them"
    )
    control: Control = Field(
        default_factory=Control,
        description="changes whose effect is known beforehand, to see whether the results show it",
    )
    simulate: Simulation | None = Field(
        default=None,
        validate_default=True,
        description="settings of the catalogue's simulated cohort",
    )

    @field_validator("modalities")
    @classmethod
    def _no_joint(cls, modalities: dict[str, ModalityFile]) -> dict[str, ModalityFile]:
        taken = [name for name in modalities if re.fullmatch(rf"{JOINT}(-\d+)?", name)]
        if taken:
            found = "the name that a joint head has in tables"
            raise _refusal(f"modalities.{taken[0]}", found, "any other name")
        return modalities

    @property
    def used(self) -> dict[str, ModalityFile]:
        """The modalities that the control does not leave out."""
        left_out = self.control.without
        return {name: file for name, file in self.modalities.items() if name not in left_out}

    @property
    def labelled(self) -> tuple[str, str]:
        """The table of samples and its column of classes.

        Raises
        ------
        ValueError
            Where the dataset is an entry of the catalogue that is not resolved yet.
        """
        if self.samples is None or self.label is None:
            raise ValueError("an entry of the catalogue names no files before it is resolved")
        return self.samples, self.label

    @property
    def files(self) -> list[str]:
        """The files that are read, each once."""
        return list(dict.fromkeys([self.labelled[0], *(file.path for file in self.used.values())]))

    def within(self, path: str) -> Dataset:
        """Return the dataset with one file for its samples and all its modalities."""
        files = {
            name: file.model_copy(update={"path": path}) for name, file in self.modalities.items()
        }
        return self.model_copy(update={"samples": path, "modalities": files})

    # Checks of several keys belong to the last of them: a model's own validator would be silent
    # where any key is wrong, and users are to see all problems at once.
    @field_validator("simulate")
    @classmethod
    def _one_source(cls, simulate: Simulation | None, info: ValidationInfo) -> Simulation | None:
        keys = [key for key in cls.brought if info.data.get(key)]
        allowed = (
            "either samples, label and modalities, or catalogue; simulate only beside a simulated"
            " entry of the catalogue"
        )
        if "catalogue" not in info.data:
            return simulate
        if info.data["catalogue"] is not None:
            if keys:
                raise _refusal("", f"both catalogue and {', '.join(keys)}", allowed)
            return simulate
        needed = ("samples", "label", "modalities")
        lacking = [key for key in needed if key in info.data and not info.data[key]]
        if lacking:
            raise _refusal("", f"no {', '.join(lacking)}", allowed)
        if simulate is not None:
            raise _refusal("simulate", "settings of a simulation without a catalogue", allowed)
        return simulate


class Evaluation(Section):
    """Cross-validation: repeated stratified (group) k-fold, or one fold per group."""

    advanced: ClassVar[frozenset[str]] = frozenset({"seed", "validation", "training_share"})

    scheme: Scheme = Field(
        default=Scheme.K_FOLD,
        description="repeated stratified k-fold, which keeps groups together, or every group (a"
        " site, a batch) as the test fold once",
    )
    repeats: Annotated[int, Field(ge=1, le=MOST_REPEATS)] | Literal["auto"] = Field(
        default=AUTO,
        description="repeats of k-fold; auto: 5 for up to 2,000 samples, above 10,000 over the"
        " samples, rounded up, and at least as many as make 10 test folds. With fewer than 10 test"
        " folds in all nothing is judged",
    )
    folds: int = Field(default=5, ge=2, le=50, description="folds per repeat of k-fold")
    seed: int = Field(default=0, ge=0, description="seed of the first repeat; then counted up")
    validation: float = Field(
        default=0.2,
        gt=0,
        lt=0.5,
        description="share of the training samples that decides when a network stops",
    )
    training_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="share of each fold's training samples that is used; the test samples stay",
    )

    @property
    def fixed_folds(self) -> int | None:
        """Folds per repeat; None where every group of a dataset is one."""
        return None if self.scheme is Scheme.LEAVE_ONE_GROUP_OUT else self.folds

    _repeats = field_validator("repeats", mode="wrap")(_automatic(MOST_REPEATS))

    def repeats_for(self, samples: int) -> int:
        """Return the repeats of k-fold, given the samples of the cohort."""
        if isinstance(self.repeats, int):
            return self.repeats
        return repeats_for(samples, self.folds)

    def repeats_drawn(self, samples: int) -> int | None:
        """Return the repeats that are asked for, given the samples of the cohort.

        None where every group of a dataset is a fold once.
        """
        out = self.scheme is Scheme.LEAVE_ONE_GROUP_OUT
        return None if out else self.repeats_for(samples)


class Preprocessing(Section):
    """What is done to every modality, fitted on the training samples of a fold only."""

    max_features: int = Field(
        default=2000, ge=2, description="features kept per modality: those of largest variance"
    )


class Information(Section):
    """Estimates of mutual information, in nats."""

    advanced: ClassVar[frozenset[str]] = frozenset(
        {"folds", "components", "label_components", "fold_permutations", "seed"}
    )

    largest: int = Field(
        default=5000,
        ge=200,
        description="samples that estimates are made on at most: of a larger cohort so many are"
        " drawn, from every class and group its share (of a training part, for its gates, 2,000)",
    )
    folds: int = Field(
        default=5,
        ge=2,
        le=20,
        description="folds of the cross-fitting, where those of the evaluation do not serve: inside"
        " training parts, where the data bring folds, and of few groups",
    )
    components: int = Field(
        default=20, ge=1, description="principal components per modality in pairs, at most n/10"
    )
    label_components: int = Field(
        default=50,
        ge=1,
        description="principal components per modality for the label, in all at most a fifth of the"
        " samples that train",
    )
    permutations: int = Field(
        default=99, ge=19, description="refits on permuted labels behind each p-value"
    )
    fold_permutations: int = Field(
        default=39, ge=19, description="the same inside every training part, for the null gate"
    )
    seed: int = Field(default=0, ge=0, description="seed of cross-fitting and permutations")


class Graph(Section):
    """Similarity network fusion, on which the graph encoder passes messages."""

    advanced: ClassVar[frozenset[str]] = frozenset(
        {"neighbours", "kept", "iterations", "transductive", "largest"}
    )

    neighbours: int = Field(default=20, ge=1, description="neighbours of a sample in a network")
    kept: int = Field(default=10, ge=1, description="neighbours kept in the fused network")
    iterations: int = Field(default=3, ge=0, description="rounds of cross-diffusion")
    transductive: bool = Field(
        default=False,
        description="whether test samples' features, never their labels, shape the network",
    )
    largest: int = Field(
        default=5000,
        ge=1,
        description="samples up to which networks are fused exactly; above, on the union of the"
        " modalities' nearest neighbours",
    )


class Model(Section):
    """The network: one encoder per modality, a head each, and a joint head."""

    advanced: ClassVar[frozenset[str]] = frozenset({"hidden", "dropout", "linear_path", "experts"})

    hidden: int = Field(default=32, ge=1, description="width of both hidden layers")
    dropout: float = Field(default=0.4, ge=0, lt=1, description="share of hidden units dropped")
    graph_weight: float = Field(
        default=0,
        ge=0,
        le=1,
        description="b in A' = (1-b)I + bA: 0 is a multilayer perceptron, above it an r-GCN",
    )
    linear_path: bool = Field(
        default=False, description="whether a modality's logits are W x + f(x) instead of f(x)"
    )
    experts: list[Expert] = Field(
        default=[Expert.LINEAR, Expert.MEAN, Expert.CONCATENATION],
        min_length=1,
        description="what the prediction of `balanced` is pooled from: stacked logistic regression"
        " (linear), a regression on the modalities' heads (learned), joint heads (the others)",
    )


class Training(Section):
    """How networks are trained."""

    idle: ClassVar[frozenset[str]] = frozenset({"replicas", "checkpoint_every"})

    advanced: ClassVar[frozenset[str]] = frozenset(
        {
            "patience",
            "learning_rate",
            "weight_decay",
            "class_weight_power",
            "logit_adjustment",
            "joint_weight",
            "balancing_temperature",
            "balancing_smoothing",
            "balancing_strength",
            "replicas",
            "checkpoint_every",
            "seed",
        }
    )

    members: Annotated[int, Field(ge=1, le=MOST_MEMBERS)] | Literal["auto"] = Field(
        default=AUTO,
        description="networks per fold of `balanced` and `ensemble`, each with another validation"
        " part; their mean predicts, at the epoch that is best for all of them; auto: 5 for up to"
        " 2,000 samples, above 10,000 over the samples, rounded up, and at least 2",
    )
    epochs: int = Field(default=100, ge=1, description="largest number of epochs")
    patience: int = Field(
        default=8, ge=1, description="epochs without a better validation loss before a stop"
    )
    learning_rate: float = Field(default=5e-3, gt=0, description="step size of AdamW")
    weight_decay: float = Field(default=1e-2, ge=0, description="weight decay of AdamW")
    batch_size: int | None = Field(
        default=64,
        ge=2,
        description="samples per step (null: all at once, which model.graph_weight above 0 needs)",
    )
    class_weight_power: float = Field(
        default=-0.5, ge=-1, le=0, description="classes weigh frequency to this power"
    )
    logit_adjustment: float = Field(
        default=0,
        ge=0,
        description="tau of the logit-adjusted loss, logits + tau log frequency (0: none)",
    )
    joint_weight: float = Field(default=1, gt=0, description="weight of every joint head's loss")
    balancing: Balancing = Field(
        default=Balancing.INFORMATION, description="rule that balances the modalities of `balanced`"
    )
    balancing_temperature: float = Field(
        default=0.5,
        gt=0,
        description="temperature T of softmax(-F1/T) in information, of softmax(F1/T) in inverse",
    )
    balancing_smoothing: float = Field(
        default=0.8,
        ge=0,
        lt=1,
        description="share kept each epoch of the old weights (information, inverse) or prototypes"
        " (pmr)",
    )
    balancing_strength: float = Field(
        default=1,
        ge=0,
        description="alpha of ogm, ogm-ge, agm and gradnorm; weight of the pmr and umt losses; the"
        " share of dropped modalities is 0.3 times it",
    )
    replicas: int | None = Field(
        default=None,
        ge=1,
        description="networks trained at once at most, though never fewer than those of one fold"
        " (null: as many as fit)",
    )
    checkpoint_every: int = Field(
        default=50, ge=1, description="epochs between checkpoints, from which a killed job goes on"
    )
    seed: int = Field(default=0, ge=0, description="seed of initial weights, dropout and batches")

    _members = field_validator("members", mode="wrap")(_automatic(MOST_MEMBERS))

    def members_for(self, samples: int) -> int:
        """Return the networks per fold, given the samples of the cohort."""
        return self.members if isinstance(self.members, int) else members_for(samples)


class Distillation(Section):
    """Pretraining of weak modalities by stronger ones."""

    advanced: ClassVar[frozenset[str]] = frozenset({"temperature", "strength"})

    pretraining: bool = Field(
        default=True, description="whether `balanced` starts from pretrained modalities"
    )
    teacher: Teacher = Field(
        default=Teacher.CLASS_BALANCED,
        description="who teaches a student with a positive margin: the strongest modality, the mean"
        " of all that may teach it (ensemble), the same with class-balanced soft targets, or none",
    )
    temperature: float = Field(default=2.0, gt=0, description="temperature of soft targets")
    strength: float = Field(
        default=0.7, ge=0, le=1, description="largest share of the soft loss, at a full margin"
    )


class Robustness(Section):
    """What worse test data and fewer training samples do to predictions, and negative controls."""

    advanced: ClassVar[frozenset[str]] = frozenset({"in_full_up_to", "seed"})

    methods: list[Method] = Field(
        default=[Method.POOLED, Method.BALANCED, Method.STACKED_LR],
        description="methods that are probed, as far as they are among `methods`; [] probes none",
    )
    noise: list[Annotated[float, Field(gt=0)]] = Field(
        default=[0.5, 1, 2, 4],
        description="noise added to one modality of test samples before scaling, in standard"
        " deviations of each feature",
    )
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        default=[0.1, 0.25, 0.5],
        description="shares of the training samples on which the methods are trained again",
    )
    controls: bool = Field(
        default=True,
        description="whether the methods are also run where nothing can be learned: on permuted"
        " labels, and on noise that holds the labels of test samples alone",
    )
    repeats: int = Field(
        default=1,
        ge=1,
        description="repeats of the cross-validation in which shares, controls and the observed"
        " gains of distillation are run",
    )
    in_full_up_to: int = Field(
        default=10_000,
        ge=0,
        description="samples of a cohort up to which shares and controls are run in all folds of"
        " these repeats, and shares with networks; of larger ones they are run in three folds of a"
        " repeat, and networks are not trained on shares",
    )
    seed: int = Field(default=0, ge=0, description="seed of noise and permutations")


class Attribution(Section):
    """What each feature adds to a class, by integrated gradients of `balanced`'s networks."""

    advanced: ClassVar[frozenset[str]] = frozenset({"steps"})

    enabled: bool = Field(default=True, description="whether features are attributed")
    steps: int = Field(default=32, ge=8, description="steps of the integral")
    features: int = Field(
        default=20, ge=1, description="features listed per class and modality, the largest first"
    )


class Final(Section):
    """The final model, trained on all labelled samples, which `snakemake predict` applies."""

    method: Method | None = Field(
        default=Method.POOLED,
        description="method that it is trained by, one of `methods` (null: no model; none is made"
        " either where this is not set and `methods` does not name `pooled`)",
        json_schema_extra={"enum": [*map(str, FINAL_METHODS), None]},
    )
    rows: bool = Field(
        default=True,
        description="whether it may hold measurements of training samples, as kernel machines and"
        " what fills in for absent modalities do; false leaves these experts of a pool out",
    )

    @field_validator("method")
    @classmethod
    def _storable(cls, method: Method | None) -> Method | None:
        if method is not None and method not in FINAL_METHODS:
            found = f"{method}, of which no final model can be written"
            raise _refusal("method", found, f"one of {', '.join(FINAL_METHODS)}, or null")
        return method

    @field_validator("rows")
    @classmethod
    def _without_rows(cls, rows: bool, info: ValidationInfo) -> bool:
        method = info.data.get("method")
        if not rows and method is Method.CONCAT_SVM:
            found = f"false, while final.method is {method}, which is made of training samples"
            raise _refusal("rows", found, "true, or another final.method")
        return rows


class OtherScale(StrEnum):
    """What is done about measurements on another scale than those that were trained on."""

    REFUSE = "refuse"
    WARN = "warn"


class NewFile(Section):
    """Measurements of new samples; their kind is that of the model's modality."""

    path: Text = Field(description="file of measurements; its ending says the format")
    modality: Text | None = Field(
        default=None, description="as in `datasets.(name).modalities.(name)`"
    )
    layer: Text | None = Field(
        default=None, description="as in `datasets.(name).modalities.(name)`"
    )


class Prediction(Section):
    """New samples, and the model that predicts them."""

    model: Text = Field(
        description="the folder of a final model, `results/(dataset)/model`, or a zip file of it"
    )
    modalities: dict[Name, NewFile] = Field(
        min_length=1,
        description="name of a modality of the model -> the new samples' file; modalities that the"
        " new samples lack are left out",
    )
    samples: Text | None = Field(
        default=None,
        description="table with one row per sample and its class, where that is known: the"
        " prediction is then an external validation",
    )
    label: Text | None = Field(
        default=None, description="column of `samples` with the class (default: the model's own)"
    )
    group: Text | None = Field(
        default=None,
        description="column of `samples`; intervals take samples of one group as one draw",
    )
    missing: list[str] = Field(
        default=list(MISSING_TEXTS),
        description="texts that stand for nothing in label and group, besides an empty cell",
    )
    missing_share: float = Field(
        default=0.2,
        ge=0,
        le=0.5,
        description="largest share of a modality's features that may be missing from its file;"
        " their training mean takes their place, and probabilities are widened as measured",
    )
    other_scale: OtherScale = Field(
        default=OtherScale.REFUSE,
        description="what is done where measurements look like another unit or normalisation than"
        " those that were trained on",
    )

    @property
    def files(self) -> list[str]:
        """The files of the new samples, each once."""
        own = [] if self.samples is None else [self.samples]
        return list(dict.fromkeys([*own, *(file.path for file in self.modalities.values())]))

    @field_validator("group")
    @classmethod
    def _of_samples(cls, group: str | None, info: ValidationInfo) -> str | None:
        if group is not None and info.data.get("samples") is None:
            raise _refusal("group", f"{group!r}, while there is no table of samples", "samples too")
        return group


class Resources(Section):
    """What jobs ask for."""

    gpu: int = Field(
        default=0, ge=0, le=1, description="GPUs per training job; 0 trains on the CPU"
    )


class Datasets(Section):
    """The datasets, by name."""

    datasets: dict[Name, Dataset] = Field(min_length=1, description="name of a dataset -> dataset")

    @field_validator("datasets")
    @classmethod
    def _no_file_of_results(cls, datasets: dict[str, Dataset]) -> dict[str, Dataset]:
        for name in TAKEN:
            if name in datasets:
                raise _refusal(f"datasets.{name}", "the name of a file in results", "another name")
        return datasets


Seeded = TypeVar("Seeded", Evaluation, Information, Training, Robustness)


class Settings(Section):
    """All settings but those of datasets: what an analysis of any cohort goes by."""

    idle: ClassVar[frozenset[str]] = frozenset({"resources"})

    seed: int = Field(
        default=0,
        ge=0,
        description="seed of folds, information, training and robustness, which a seed of their own"
        " below `advanced` replaces",
    )
    primary_metric: PrimaryMetric = Field(
        default=PrimaryMetric.MACRO_F1,
        description="metric that verdicts, tiles and figures follow; it is chosen before any result"
        " is looked at",
    )
    evaluation: Evaluation = Field(
        default=Evaluation(), validate_default=True, description="cross-validation"
    )
    methods: list[Method] = Field(
        default=list(DEFAULT_METHODS), min_length=1, description="methods to compare"
    )
    preprocessing: Preprocessing = Field(default=Preprocessing(), description="per-fold fitting")
    information: Information = Field(
        default=Information(), validate_default=True, description="mutual information"
    )
    graph: Graph = Field(default=Graph(), description="similarity networks")
    model: Model = Field(default=Model(), description="network")
    training: Training = Field(
        default=Training(), validate_default=True, description="optimisation and balancing"
    )
    distillation: Distillation = Field(default=Distillation(), description="pretraining")
    robustness: Robustness = Field(
        default=Robustness(),
        validate_default=True,
        description="worse test data, fewer training samples, controls",
    )
    attribution: Attribution = Field(default=Attribution(), description="attribution of features")
    final: Final = Field(
        default=Final(), validate_default=True, description="the model that is kept"
    )
    resources: Resources = Field(default=Resources(), description="GPU")

    @field_validator("methods")
    @classmethod
    def _each_once(cls, methods: list[Method]) -> list[Method]:
        twice = [method for method in Method if methods.count(method) > 1]
        if twice:
            raise _refusal("methods", f"more than once: {', '.join(twice)}", "every method once")
        return methods

    @field_validator("final")
    @classmethod
    def _evaluated(cls, final: Final, info: ValidationInfo) -> Final:
        methods = info.data.get("methods")
        if methods is None or final.method is None or final.method in methods:
            return final
        if "method" in final.model_fields_set:
            found = f"{final.method}, which is none of `methods`, so that nothing tells its worth"
            allowed = [method for method in FINAL_METHODS if method in methods]
            raise _refusal("final.method", found, f"one of {', '.join([*allowed, 'null'])}")
        return final.model_copy(update={"method": None})

    @field_validator("evaluation", "information", "training", "robustness")
    @classmethod
    def _one_seed(cls, section: Seeded, info: ValidationInfo) -> Seeded:
        if "seed" in section.model_fields_set or "seed" not in info.data:
            return section
        return section.model_copy(update={"seed": info.data["seed"]})

    @field_validator("distillation")
    @classmethod
    def _teachers_for_umt(cls, value: Distillation, info: ValidationInfo) -> Distillation:
        training = info.data.get("training")
        umt = training is not None and training.balancing is Balancing.UMT
        if umt and not value.pretraining:
            found = "false, while training.balancing umt holds encoders to pretrained ones"
            raise _refusal("distillation.pretraining", found, "true, or another rule")
        return value

    @field_validator("training")
    @classmethod
    def _batches_without_graph(cls, training: Training, info: ValidationInfo) -> Training:
        model = info.data.get("model")
        if training.batch_size is not None and model is not None and model.graph_weight > 0:
            found = f"{training.batch_size}, while model.graph_weight is {model.graph_weight}"
            raise _refusal("training.batch_size", found, "null, or model.graph_weight 0")
        return training

    def with_gpus(self, gpus: int) -> Self:
        """Return the settings for a job that was given so many GPUs, of which it uses one."""
        return self.model_copy(update={"resources": Resources(gpu=min(gpus, 1))})


# Pydantic lists the keys of the last base first: what everybody sets stands before the rest.
class Configuration(Settings, Datasets):
    """The whole configuration."""

    predict: dict[Name, Prediction] = Field(
        default={}, description="name of a prediction -> new samples and the model"
    )

    @field_validator("predict")
    @classmethod
    def _apart(cls, predict: dict[str, Prediction], info: ValidationInfo) -> dict[str, Prediction]:
        for name in predict:
            if name in TAKEN:
                raise _refusal(f"predict.{name}", "the name of a file in results", "another name")
            if name in info.data.get("datasets", ()):
                found = "the name of a dataset too, whose results lie in the same folder"
                raise _refusal(f"predict.{name}", found, "another name")
        return predict


class PredictionsAlone(Configuration):
    """A configuration that predicts new samples by models that are there, and runs no dataset."""

    datasets: dict[Name, Dataset] = Field(default={}, max_length=0)

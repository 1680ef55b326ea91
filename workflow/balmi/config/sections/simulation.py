"""Simulated cohorts: their designs, and the dials of these."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, field_validator

from balmi.config.sections.base import Section, refusal

LARGEST_SHARED_INFORMATION = 1.27  # of the Gaussian design, by its fixed correlations


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
            raise refusal("shared_information", str(value), allowed)
        return value

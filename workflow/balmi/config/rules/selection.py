"""Which methods a configuration runs, by which kind of job, and which of them are probed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from balmi.config.methods import NETWORKS, SHARING
from balmi.config.settings import Method

if TYPE_CHECKING:
    from balmi.config.settings import Settings

CONTROLS = ("labels", "leak")


@dataclass(frozen=True)
class Selection:
    """The methods that run, by their names.

    Parameters
    ----------
    methods
        All of them.
    networks
        Those that train networks.
    pools
        Those that one job fits together, on experts that they share.
    probed
        Those that robustness is asked of.
    shares
        The shares of training samples on which the probed are trained again, as text.
    controls
        The negative controls on which the probed are run.
    pretrained
        Whether `balanced` starts from pretrained modalities.
    final
        The method of the final model; None where none is made.
    """

    methods: tuple[str, ...]
    networks: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    probed: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    pretrained: bool = False
    final: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Selection:
        """Return what a configuration selects."""
        # What who has which modality tells alone is always told.
        methods = dict.fromkeys([*map(str, settings.methods), str(Method.ABSENCE_LR)])
        networks = [str(method) for method in settings.methods if method in NETWORKS]
        robustness = settings.robustness
        return cls(
            methods=tuple(methods),
            networks=tuple(networks),
            pools=tuple(name for name in map(str, SHARING) if name in methods),
            probed=tuple(name for name in methods if name in robustness.methods),
            shares=tuple(dict.fromkeys(f"{share:g}" for share in robustness.shares)),
            controls=CONTROLS if robustness.controls else (),
            pretrained=Method.BALANCED in networks and settings.distillation.pretraining,
            final=settings.final.method and str(settings.final.method),
        )

    @property
    def peers(self) -> tuple[str, ...]:
        """The methods that have a job of their own and train no network."""
        return tuple(name for name in self.methods if name not in self.networks + self.pools)

    @property
    def probed_peers(self) -> tuple[str, ...]:
        """The peers that are probed."""
        return tuple(name for name in self.peers if name in self.probed)

    @property
    def unprobed_peers(self) -> tuple[str, ...]:
        """The peers that are not probed."""
        return tuple(name for name in self.peers if name not in self.probed)

    @property
    def probed_networks(self) -> tuple[str, ...]:
        """The network methods that are probed."""
        return tuple(name for name in self.probed if name in self.networks)

    @property
    def probed_pools(self) -> tuple[str, ...]:
        """The pools that are probed."""
        return tuple(name for name in self.pools if name in self.probed)

    @property
    def probed_final(self) -> tuple[str, ...]:
        """The method of the final model, where it is probed."""
        return tuple(name for name in self.probed if name == self.final)

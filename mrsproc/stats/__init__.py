"""Statistics of infusion trials, from tables only."""

from mrsproc.stats.alarms import quality_alarm
from mrsproc.stats.changes import change_from_baseline
from mrsproc.stats.effect_sizes import EffectSize, holm
from mrsproc.stats.groups import group_course, quality_course
from mrsproc.stats.leverage import influence
from mrsproc.stats.mixed import MixedModel, combined, mixed_model
from mrsproc.stats.observations import add_participants
from mrsproc.stats.paired import Crossover, crossover, crossover_table
from mrsproc.stats.planning import Power, Precision, power
from mrsproc.stats.relations import Association, association
from mrsproc.stats.repeating import Replication, replication
from mrsproc.stats.sealing import blind, freeze, unblind
from mrsproc.stats.trial import Trial, TrialDesign, simulate_trial

__all__ = [
    "Association",
    "Crossover",
    "EffectSize",
    "MixedModel",
    "Power",
    "Precision",
    "Replication",
    "Trial",
    "TrialDesign",
    "add_participants",
    "association",
    "blind",
    "change_from_baseline",
    "combined",
    "crossover",
    "crossover_table",
    "freeze",
    "group_course",
    "holm",
    "influence",
    "mixed_model",
    "power",
    "quality_alarm",
    "quality_course",
    "replication",
    "simulate_trial",
    "unblind",
]

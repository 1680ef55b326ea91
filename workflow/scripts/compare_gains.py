from balmi.data.files import read_table, write_table
from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.statistics import split_ratio
from balmi.experiments.gains.table import PAIR, complementarity_table, margins_of
from balmi.logs import job

with job(snakemake, f"{snakemake.wildcards.dataset}: gains of distillation"):
    splits = read_table(snakemake.input.splits, "splits")
    tested = splits[splits["part"] == "test"]
    margins = margins_of(read_table(snakemake.input.information, "information"))
    gains = read_table(snakemake.input.gains, "gains")
    once = counted_once(gains, first_alike(tested), PAIR, ["macro_f1", "macro_f1_alone"])
    table = complementarity_table(margins, once, split_ratio(splits))
    write_table(table, snakemake.output.complementarity, "complementarity")

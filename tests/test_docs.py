"""What the documentation says exists: commands, names, options, files and links.

Nothing is run here: the commands and code of single pages are run by the tests of what they show.
"""

import ast
import inspect
import re
import shlex
from itertools import chain
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import pytest
import typer

import mrsproc as mp
from mrsproc.cli import app
from mrsproc.responses.base import slopes

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
COMMAND_LINE = typer.main.get_command(app)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def fenced(page, *languages):
    """Return the code blocks of a page in some languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return [block for language, block in found if language in languages]


def inline(page):
    """Return what stands in single backticks outside the code blocks of a page."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]


def commands(page):
    """Return the words of every call of mrsproc in the code blocks of a page."""
    text = "\n".join(fenced(page, "bash", "text", "sh", "console")).replace("\\\n", " ")
    calls = re.split(r"\n|&&|;|\|", text)
    return [shlex.split(call, comments=True) for call in calls if call.strip()[:8] == "mrsproc "]


def command_of(words):
    """Return the command that words after `mrsproc` call, and the words that are left."""
    command = COMMAND_LINE
    while isinstance(command, type(COMMAND_LINE)) and words and words[0][0] != "-":
        assert words[0] in command.commands, f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def options_of(command):
    own = chain.from_iterable(one.opts + one.secondary_opts for one in command.params)
    return {*own, "--help", "--debug"}


def leaves(command, names=("mrsproc",)):
    """Return the full names of all commands."""
    if not isinstance(command, type(COMMAND_LINE)):
        return [" ".join(names)]
    below = command.commands.items()
    return [name for key, one in below for name in leaves(one, (*names, key))]


@each_page
def test_commands_parse(page):
    for words in commands(page):
        command, rest = command_of(words[1:])
        rest = [word for word in rest if word != "--debug"]  # taken out before the parser
        if command is COMMAND_LINE:
            assert set(rest) <= options_of(command), words
            continue
        context = command.make_context(" ".join(words), rest)
        assert not context.args or command.name == "run", words


@each_page
def test_commands_in_sentences_exist(page):
    """In a sentence arguments may be missing, but commands and options are real."""
    for code in inline(page):
        if not code.startswith("mrsproc ") or "NAME" in code:
            continue
        command, rest = command_of(code.split()[1:])
        named = {word for word in rest if re.match(r"--?[a-z]", word)}
        assert named <= options_of(command), code


def test_commands_that_are_wrong_are_found(tmp_path):
    """The parser used here refuses what the command line refuses."""
    page = tmp_path / "page.md"
    page.write_text("```bash\nmrsproc info a.nii --each && mrsproc fit a.nii\n```\n")
    for words, error in zip(commands(page), ("No such option", "Missing parameter"), strict=True):
        command, rest = command_of(words[1:])
        with pytest.raises(Exception, match=error):
            command.make_context("x", rest)
    with pytest.raises(AssertionError, match="no command ftt"):
        command_of(["ftt", "a.nii"])


def test_every_command_has_an_example():
    shown = [" ".join(words) for words in commands(DOCS / "commands.md")]
    missing = [name for name in leaves(COMMAND_LINE) if not any(name in call for call in shown)]
    assert missing == []


@pytest.mark.parametrize("name", leaves(COMMAND_LINE))
def test_the_help_of_every_command_has_an_example_that_parses(name):
    command, rest = command_of(name.split()[1:])
    assert not rest
    examples = command.help.split("Example: mrsproc ")[1:]
    assert examples
    for example in examples:
        same, words = command_of(shlex.split(example))
        assert same is command
        assert not command.make_context(name, words).args


def check_keywords(tree):
    """Check the keywords of every call of a public function or class in a piece of code."""
    for call in ast.walk(tree):
        name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
        # Classes may stand without mp.; in lower case that would be a variable, such as fit.
        if not re.fullmatch(r"mp(\.\w+)+|[A-Z]\w*", name):
            continue
        name = name.removeprefix("mp.")
        if name.partition(".")[0] not in mp.__all__:
            continue
        known = inspect.signature(resolve_name(f"mrsproc:{name}")).parameters.values()
        given = {keyword.arg for keyword in call.keywords if keyword.arg}
        free = any(one.kind is one.VAR_KEYWORD for one in known)
        assert free or given <= {one.name for one in known}, ast.unparse(call)


@each_page
def test_python_compiles_and_calls_what_exists(page):
    for block in fenced(page, "python"):
        check_keywords(ast.parse(block, str(page)))


@each_page
def test_calls_in_sentences_exist(page):
    for code in inline(page):
        try:
            tree = ast.parse(code)
        except SyntaxError:  # not Python
            continue
        check_keywords(tree)


@each_page
def test_names_exist(page):
    """Of the library as `mp.NAME` and `mrsproc.NAME`, in code blocks and in sentences."""
    code = "\n".join([*fenced(page, "python"), *inline(page)])
    for name in re.findall(r"\bmp\.([A-Za-z_][\w.]*\w)", code):
        assert resolve_name(f"mrsproc:{name}") is not None, name
    for name in re.findall(r"\bmrsproc(\.[a-z_]\w*(?:\.\w+)*)\b", code):
        assert resolve_name(f"mrsproc{name}") is not None, name


@each_page
def test_files_exist(page):
    """Paths in the repository that a sentence or a command names."""
    calls = "\n".join([*fenced(page, "bash"), *inline(page)])
    for path in re.findall(r"(?<![\w./])((?:tests|mrsproc|examples|docs)/[\w/.]*\w)", calls):
        if "NAME" not in path and not path.startswith("docs/_build"):
            assert (ROOT / path).exists(), path


def anchors(page):
    """Return the anchors of the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_links_resolve(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        # The notebooks stand beside docs/, which gets copies of them when it is built.
        folder = ROOT if path.startswith("examples/") else page.parent
        found = folder / path if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_every_page_is_in_the_contents():
    trees = re.findall(r"```{toctree}\n(.*?)```", (DOCS / "index.md").read_text(), re.DOTALL)
    entries = [line for tree in trees for line in tree.split("\n") if line and line[0] != ":"]
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    notebooks = {f"examples/{path.stem}" for path in (ROOT / "examples").glob("*.ipynb")}
    assert sorted(entries) == sorted(pages | notebooks)


def test_the_citation_is_of_this_version():
    entries = dict(
        re.findall(r"^([\w-]+): (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    )
    assert entries["version"] == mp.__version__
    assert {"cff-version", "message", "title", "license"} <= set(entries)


def test_every_public_name_is_in_the_reference():
    listed = set((DOCS / "api.md").read_text().split())
    names = {name for name in mp.__all__ if not inspect.ismodule(getattr(mp, name))}
    assert names - {"__version__"} <= listed


def test_every_benchmark_is_on_the_validation_page():
    """By its own words or by those of the figures that it includes."""
    figures = ROOT / "tests" / "benchmarks" / "README.md"
    text = (DOCS / "validation.md").read_text()
    assert "{include} ../tests/benchmarks/README.md" in text
    named = re.findall(r"`python tests/benchmarks/(bench_\w+\.py)", text + figures.read_text())
    assert set(named) == {path.name for path in figures.parent.glob("bench_*.py")}


def test_own_sequence_and_response_of_the_page():
    """The examples of the page on contributing do what the page says."""
    names = {}
    for block in fenced(DOCS / "contributing.md", "python"):
        exec(compile(block, "docs/contributing.md", "exec"), names)
    same = mp.simulate_basis(
        "spin_echo",
        echo_time=names["te"],
        acquisition=names["acquisition"],
        metabolites=["Glu", "Gln", "NAA"],
    )
    assert names["basis"].fid == pytest.approx(same.fid, abs=1e-9)

    ramp, time = names["ramp"], np.array([0.0, 300.0, 400.0, 600.0, 2000.0])
    shape = ramp.columns(time, np.array([300.0]))[:, 0]
    assert shape == pytest.approx([0.0, 0.0, 1 / 3, 1.0, 1.0])
    slope = slopes(ramp, time, np.array([300.0]))[0, :, 0]
    assert slope == pytest.approx([0.0, 0.0, -100 / 300**2, 0.0, 0.0], abs=1e-12)

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.__main__ import COMMANDS, main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_ci_runs_the_test_command_that_the_readme_gives():
    script = (ROOT / ".ci" / "run").read_text()
    extraction = re.search(r"command=\$\((.*)\)\n", script).group(1)
    said = subprocess.run(["bash", "-c", extraction], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip().endswith("-m pytest")
    assert said.strip() in README


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_the_readme_shows_every_command(command):
    name = command.__name__.rpartition(".")[2].replace("_", "-")
    assert f"python -m engine {name} " in README


def test_every_command_in_the_readme_is_understood(capsys):
    for line in re.findall(r"^python -m engine (.*)$", README, re.MULTILINE):
        words = [*line.split(), "--help"]
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 0
    assert capsys.readouterr().out


def test_every_folder_and_file_that_the_readme_names_is_there():
    for name in re.findall(r"`((?:engine|pages|tests|benchmarks|assets)/[\w/.]*)`", README):
        assert (ROOT / name).exists(), name
    assert (ROOT / "assets" / "overview.png").exists()


def test_the_requirements_are_what_the_code_imports():
    imported = set()
    for file in [ROOT / "app.py", *ROOT.glob("engine/**/*.py"), *ROOT.glob("pages/**/*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    package = {
        "sklearn": "scikit-learn",
        "PIL": "pillow",
        "sqlite_utils": "sqlite-utils",
        "umap": "umap-learn",
        "vl_convert": "vl-convert-python",
    }
    foreign = {package.get(name, name) for name in imported - sys.stdlib_module_names - {"engine", "pages"}}
    listed = set(re.findall(r"^([\w-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert foreign <= listed

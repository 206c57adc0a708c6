"""Lint, format, types and import rules are tests like all others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=lambda command: " ".join(command),
)
def test_the_code_is_clean(command):
    done = subprocess.run(
        [TOOLS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "module", ["pages.parts.sidebar", "pages.parts.browser", "engine.workbench", "engine.commands"]
)
def test_nothing_heavy_is_imported_before_it_is_needed(module):
    heavy = "{'torch', 'torchvision', 'timm', 'umap', 'sklearn'}"
    program = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_that_check_can_fail():
    program = "import sys, engine.subject.classifier; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_the_import_rules_can_fail(tmp_path):
    """A copy of the rules over a package that breaks one."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("import streamlit\n")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "__init__.py").write_text("")
    (tmp_path / "rules.toml").write_text(
        '[tool.importlinter]\nroot_packages = ["engine", "pages"]\ninclude_external_packages = true\n'
        '[[tool.importlinter.contracts]]\nname = "no app"\ntype = "forbidden"\n'
        'source_modules = ["engine"]\nforbidden_modules = ["streamlit"]\n'
    )
    done = subprocess.run(
        [TOOLS / "lint-imports", "--config", "rules.toml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "no app BROKEN" in done.stdout

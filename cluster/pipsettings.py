"""The builder's own pip settings, for the time of an image build; nothing of them stays in an image."""

import configparser
import os
from pathlib import Path

KEPT = ("index-url", "extra-index-url", "trusted-host", "proxy", "retries", "timeout", "default-timeout", "cert")
"""Where packages come from and how to get there. Local folders (find-links) would mean nothing inside a build."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
INSIDE = "/run/secrets/ca.pem"


def read() -> dict[str, str]:
    """pip's settings as pip itself would see them: files in its order, then PIP_ variables."""
    found: dict[str, str] = {}
    for path in _files():
        parser = configparser.RawConfigParser()
        parser.read(path, encoding="utf-8")
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    variables = {
        name[4:].lower().replace("_", "-"): value for name, value in os.environ.items() if name.startswith("PIP_")
    }
    found.update(variables)
    return {key: value for key, value in found.items() if key in KEPT}


def _files() -> list[Path]:
    home = Path.home()
    shared = [Path(folder) / "pip" / "pip.conf" for folder in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")]
    user = Path(os.environ.get("XDG_CONFIG_HOME", home / ".config")) / "pip" / "pip.conf"
    files = [*shared, Path("/etc/pip.conf"), home / ".pip" / "pip.conf", user]
    if chosen := os.environ.get("PIP_CONFIG_FILE"):
        files = [] if chosen == os.devnull else [*files, Path(chosen)]
    return files


def secrets(folder: Path) -> list[str]:
    """Writes the settings into `folder` and returns the builder's options that pass them as secrets."""
    settings = read()
    options = []
    bundle = Path(settings.pop("cert", "") or os.environ.get("SSL_CERT_FILE") or CERTIFICATES)
    if bundle.is_file():
        options += ["--secret", f"id=ca.pem,src={bundle}"]
        settings["cert"] = INSIDE
    lines = ["[global]", "disable-pip-version-check = true", "root-user-action = ignore"]
    lines += [f"{key} = {' '.join(value.split())}" for key, value in settings.items()]
    config = folder / "pip.conf"
    config.touch(mode=0o600)
    config.write_text("\n".join(lines) + "\n")
    return [*options, "--secret", f"id=pip.conf,src={config}"]

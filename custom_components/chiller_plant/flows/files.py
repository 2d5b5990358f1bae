"""Reads what a person uploads, or what lies on the Home Assistant machine."""

from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile, ZipFile, is_zipfile

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.core import HomeAssistant

_MAXIMUM_SIZE = 2_000_000
"""Bytes; a plant file of a thousand points has a tenth of that."""
_MAXIMUM_FILES = 50
"""In a zip file; an EDE export has four."""


def read_text(path: Path) -> tuple[str, str]:
    """Return text and name of a file. Raise `OSError` or `ValueError`."""
    return _bytes(path).decode("utf-8"), path.name


def take_upload(hass: HomeAssistant, upload: str) -> tuple[str, str]:
    """Return text and name of what was uploaded. Raise as `read_text`."""
    with process_uploaded_file(hass, upload) as path:
        return read_text(path)


def take_files(hass: HomeAssistant, upload: str) -> Mapping[str, bytes]:
    """Return what was uploaded by name, out of the zip file if it is one.

    Raises `OSError` or `ValueError`.
    """
    with process_uploaded_file(hass, upload) as path:
        content = _bytes(path)
        if not is_zipfile(path):
            return {path.name: content}
        try:
            with ZipFile(path) as archive:
                return _unpacked(archive)
        except BadZipFile as error:
            raise ValueError(f"{path.name}: {error}") from error
        except (NotImplementedError, RuntimeError) as error:
            # An unknown compression, or a password.
            raise ValueError(f"{path.name} cannot be unpacked: {error}") from error


def take_path(hass: HomeAssistant, path: str) -> tuple[str, str]:
    """Return text and name of a file that may be read. Raise as `read_text`."""
    configuration = Path(hass.config.config_dir).resolve()
    found = (configuration / path).resolve()
    if not found.is_relative_to(configuration) and not hass.config.is_allowed_path(
        str(found)
    ):
        raise ValueError(
            f"{found} is neither in {configuration} nor in allowlist_external_dirs"
        )
    return read_text(found)


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > _MAXIMUM_SIZE:
        raise ValueError(f"{path.name} is larger than {_MAXIMUM_SIZE} bytes")
    return path.read_bytes()


def _unpacked(archive: ZipFile) -> Mapping[str, bytes]:
    members = [item for item in archive.infolist() if not item.is_dir()]
    if len(members) > _MAXIMUM_FILES:
        raise ValueError(f"the zip file has more than {_MAXIMUM_FILES} files")
    # What a zip file claims of itself is not what unpacking it takes.
    files, size = {}, 0
    for member in members:
        with archive.open(member) as packed:
            content = packed.read(_MAXIMUM_SIZE - size + 1)
        size += len(content)
        if size > _MAXIMUM_SIZE:
            raise ValueError(f"what is in it is larger than {_MAXIMUM_SIZE} bytes")
        files[Path(member.filename).name] = content
    return files

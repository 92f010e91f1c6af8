"""Files of TLS, read when settings are: a file that is missing then would be a server that is away for ever."""

import ssl
from pathlib import Path

_NO_CERTIFICATES = "holds no certificates (PEM)"


def check_authorities(file: Path) -> Path:
    """Return a file of certificates, or of revoked ones, against which others are checked; ValueError if it is none."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except OSError as error:
        raise ValueError(_told(file, error, _NO_CERTIFICATES)) from None
    return file


def check_own_certificate(file: Path, key: Path | None, password: str = "") -> None:
    """ValueError unless the file holds a certificate, and it or the other file its key."""
    for each in filter(None, (file, key)):
        try:
            each.open().close()
        except OSError as error:
            raise ValueError(_told(each, error, "")) from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file, key, password=lambda: password)
    except OSError as error:
        raise ValueError(_told(file, error, "and its key are no pair that can be read (PEM)")) from None


def _told(file: Path, error: OSError, otherwise: str) -> str:
    """Say of which file what is wrong; OpenSSL names none."""
    if isinstance(error, ssl.SSLError):
        return f"{file} {otherwise}"
    return f"{file}: {error.strerror or error}"

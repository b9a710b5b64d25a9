"""Reads secrets out of Vault and 1Password. Used by the native module only."""

import os
import subprocess

TIMEOUT = 30


class Refused(Exception):
    """What is wrong, in one sentence."""


def ask(store, *texts):
    try:
        return (vault if store == "vault" else onepassword)(*texts), None
    except Refused as reason:
        return None, str(reason)


def vault(project, address, token, path):
    # The configuration is read before anything of the project is loaded, which would find its packages.
    from mxcp import _imports

    _imports.add_environment(project)
    try:
        import hvac
        from hvac.exceptions import Forbidden, InvalidPath, Unauthorized, VaultError
    except ImportError as error:
        raise Refused(f"references to Vault need the package hvac: pip install hvac ({error})") from None
    kv = hvac.Client(url=address, token=token, timeout=TIMEOUT).secrets.kv
    # In the mount `secret`; then the first part of the path may be the name of the mount.
    places = [("secret", path)]
    mount, _, rest = path.partition("/")
    if rest:
        places.append((mount, rest))
    denied = False
    for mount, name in places:
        for version in (kv.v2.read_secret_version, kv.v1.read_secret):
            try:
                answer = version(path=name, mount_point=mount, **_options(version, kv))["data"]
                return answer["data"] if version == kv.v2.read_secret_version else answer
            except (InvalidPath, KeyError):
                continue
            except (Forbidden, Unauthorized):
                denied = True
            except VaultError as error:
                raise Refused(f"Vault answered: {error}") from None
            except Exception as error:
                raise Refused(f"Vault at {address} cannot be reached: {_short(error)}") from None
    if denied:
        raise Refused("Vault denies access: the token is not valid, or may not read this path")
    raise Refused("there is no such secret, neither in KV version 2 nor 1")


def _options(version, kv):
    # Deleted versions are no secret; asked for expressly, since hvac warns about its default.
    return {"raise_on_deleted_version": True} if version == kv.v2.read_secret_version else {}


def _short(error):
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def onepassword(reference, token):
    env = {**os.environ, "OP_SERVICE_ACCOUNT_TOKEN": token}
    try:
        done = subprocess.run(
            ["op", "read", "--no-newline", reference],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        raise Refused("references to 1Password need its command 'op', which is not installed") from None
    except subprocess.TimeoutExpired:
        raise Refused(f"the command op did not answer within {TIMEOUT} seconds") from None
    except OSError as error:
        raise Refused(f"the command op cannot be run: {error}") from None
    if done.returncode != 0:
        said = done.stderr.strip() or f"it ended with status {done.returncode}"
        raise Refused(f"the command op refused: {said[:500]}")
    return done.stdout

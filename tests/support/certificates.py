"""Keys and certificates for tests, made by openssl when they are needed."""
import base64
import json
import os
import subprocess


def openssl(directory, *arguments, **options):
    return subprocess.run(["openssl", *arguments], cwd=directory, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          **options).stdout


class Authority:
    """A CA with its files in a directory."""

    def __init__(self, directory, name="ca"):
        self.directory = directory
        self.name = name
        self._request(name, "-x509", "-days", "2")

    def path(self, name):
        return os.path.join(self.directory, name + ".pem")

    def key_path(self, name):
        return os.path.join(self.directory, name + ".key")

    def _request(self, name, *more):
        openssl(self.directory, "req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", name + ".key", "-out",
                name + (".pem" if more else ".csr"), *more)

    def sign(self, name, alternative="IP:127.0.0.1", days=2):
        """A certificate in name.pem, its key in name.key."""
        self._request(name)
        extensions = os.path.join(self.directory, name + ".ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={alternative}\n")
        openssl(self.directory, "x509", "-req", "-in", name + ".csr", "-CA",
                self.name + ".pem", "-CAkey", self.name + ".key",
                "-CAcreateserial", "-days", str(days), "-extfile", extensions,
                "-out", name + ".pem")


def checksum(data):
    """CRC-16/XMODEM, as two bytes."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xffff
    return crc.to_bytes(2, "little")


def base32(data):
    return base64.b32encode(data + checksum(data)).decode().rstrip("=")


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Nkey:
    """A key pair of NATS; kind is operator, account or user."""

    KINDS = {"operator": 14 << 3, "account": 0, "user": 20 << 3}

    def __init__(self, directory, kind):
        self.directory = directory
        self.kind = kind
        self._file = os.path.join(directory, f"{kind}.nkey.pem")
        openssl(directory, "genpkey", "-algorithm", "ed25519", "-out",
                self._file)
        secret = openssl(directory, "pkey", "-in", self._file, "-outform",
                         "DER")[-32:]
        public = openssl(directory, "pkey", "-in", self._file, "-pubout",
                         "-outform", "DER")[-32:]
        prefix = self.KINDS[kind]
        self.seed = base32(bytes([18 << 3 | prefix >> 5, (prefix & 31) << 3])
                           + secret)
        self.public = base32(bytes([prefix]) + public)

    def _sign(self, text):
        path = os.path.join(self.directory, "to_sign")
        with open(path, "w") as file:
            file.write(text)
        return openssl(self.directory, "pkeyutl", "-sign", "-rawin", "-inkey",
                       self._file, "-in", path)

    def token(self, subject, **nats):
        """A JWT about subject, another Nkey, signed by this one."""
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        claims = {"jti": "test", "iat": 1600000000, "iss": self.public,
                  "name": subject.kind, "sub": subject.public,
                  "nats": {"type": subject.kind, "version": 2, **nats}}
        text = ".".join(base64url(json.dumps(part).encode())
                        for part in (header, claims))
        return text + "." + base64url(self._sign(text))


def credentials(token, seed):
    """The text of a .creds file."""
    return (f"-----BEGIN NATS USER JWT-----\n{token}\n"
            "------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{seed}\n"
            "------END USER NKEY SEED------\n")

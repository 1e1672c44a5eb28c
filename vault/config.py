"""Settings of one side (`site.toml`), and what each of its processes reads from them.

The file names the jurisdiction, the trust domain, the addresses, the quorum, the block store and
the one vault that the holders serve. It holds no secret: credentials are files that it names.
An unknown setting is refused, because a misspelled one would silently not hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from proofs.errors import CrossproofError
from proofs.principal import ROLES, Principal
from vault.errors import InvalidInputError, NotFoundError
from vault.files import read_public
from vault.proving import ProvingConfig, proving_section
from vault.toml_table import Table, quoted, read_toml

FORMAT: Final = "crossvault/site-config/v1"
FILE_NAME: Final = "site.toml"
DEFAULT_PORTS: Final = {"cn": 7000, "hk": 7100}
MAX_HOLDERS: Final = 15


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many of a side's holders open a key: `threshold` of `holders`."""

    threshold: int
    holders: int

    def __post_init__(self) -> None:
        # 2t > n: two disjoint groups must never both be a quorum.
        if not 2 <= self.threshold <= self.holders <= MAX_HOLDERS:
            raise InvalidInputError(
                f"quorum: 2 <= threshold <= holders <= {MAX_HOLDERS} must hold", field="quorum"
            )
        if 2 * self.threshold <= self.holders:
            raise InvalidInputError(
                f"quorum: {self.threshold} of {self.holders} lets two halves disagree; the "
                f"threshold must be more than half",
                field="quorum",
            )


@dataclass(frozen=True, slots=True)
class BlocksConfig:
    """Where a part's blocks are kept: in the embedded store, or in a Kubo node as well.

    `kubo_api` is a multiaddr such as `/ip4/127.0.0.1/tcp/5001`; `kubo_credentials` is the file
    with the RPC credentials, without which a Kubo node is not used.
    """

    store: str = "embedded"
    kubo_api: str | None = None
    kubo_credentials: Path | None = None

    def __post_init__(self) -> None:
        if self.store not in ("embedded", "kubo"):
            raise InvalidInputError("blocks.store: must be embedded or kubo")
        if self.store == "kubo" and (self.kubo_api is None or self.kubo_credentials is None):
            raise InvalidInputError(
                "blocks: a kubo store needs kubo_api and kubo_credentials (a file): an RPC "
                "interface without credentials lets anyone on the machine unpin blocks"
            )


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """One side's settings, and the folder that they were read from."""

    folder: Path
    trust_domain: str
    jurisdiction: str
    host: str
    port_base: int
    quorum: Quorum
    blocks: BlocksConfig
    vault: Principal | None
    proving: ProvingConfig = field(default_factory=ProvingConfig)

    @classmethod
    def load(cls, folder: Path) -> SiteConfig:
        """Read `folder`/site.toml; NotFoundError or InvalidInputError."""
        path = folder / FILE_NAME
        try:
            data = read_public(path)
        except NotFoundError:
            raise NotFoundError(
                f"{folder}: no {FILE_NAME} there; `crossvault init` makes a site"
            ) from None
        table = Table(read_toml(data, where=str(path)), where=str(path))
        if table.text("format") != FORMAT:
            raise InvalidInputError(f"{path}: format must be {FORMAT}")
        jurisdiction = table.text("jurisdiction")
        if jurisdiction not in ROLES:
            raise InvalidInputError(f"{path}: jurisdiction must be cn or hk")
        quorum, blocks, serves, proving = (
            table.table(name) for name in ("quorum", "blocks", "serves", "proving")
        )
        credentials = blocks.optional_text("kubo_credentials")
        vault = serves.optional_text("vault")
        config = cls(
            folder=folder,
            trust_domain=table.text("trust_domain"),
            jurisdiction=jurisdiction,
            host=table.text("host"),
            port_base=table.integer("port_base", 1, 65_535),
            quorum=Quorum(
                threshold=quorum.integer("threshold", 2, MAX_HOLDERS),
                holders=quorum.integer("holders", 2, MAX_HOLDERS),
            ),
            blocks=BlocksConfig(
                store=blocks.optional_text("store") or "embedded",
                kubo_api=blocks.optional_text("kubo_api"),
                kubo_credentials=folder / credentials if credentials else None,
            ),
            vault=_vault(vault, where=str(path)) if vault else None,
            proving=ProvingConfig.read(proving, folder),
        )
        for part in (table, quorum, blocks, serves, proving):
            part.end()
        return config

    def identity_folder(self, role: str, name: str) -> Path:
        """Where this machine keeps the identity of one of the site's principals."""
        return self.folder / "identities" / role / name


@dataclass(frozen=True, slots=True)
class VaultConfig:
    """What the vault's process needs: its identity, its data folder, blocks, and who proves."""

    identity: Path
    data: Path
    blocks: BlocksConfig
    proving: ProvingConfig


@dataclass(frozen=True, slots=True)
class HolderConfig:
    """What a holder's process needs: its identity, its data folder and the vault it serves."""

    identity: Path
    data: Path
    vault: Principal


def vault_config(folder: Path) -> VaultConfig:
    """The settings of the vault of the site in `folder`."""
    config = SiteConfig.load(folder)
    if config.vault is None or config.jurisdiction != "cn":
        raise InvalidInputError(f"{folder}: this site has no vault; only a mainland site has one")
    return VaultConfig(
        identity=config.identity_folder("vault", config.vault.name),
        data=folder / "vault",
        blocks=config.blocks,
        proving=config.proving,
    )


def holder_config(folder: Path, name: str) -> HolderConfig:
    """The settings of the holder `name` of the site in `folder`."""
    config = SiteConfig.load(folder)
    if config.vault is None:
        raise InvalidInputError(
            f"{folder}: it is not said which vault its holders serve; join the other side with "
            f"`crossvault site add`"
        )
    # A principal's name has no slash or dot, so it cannot lead out of the folder.
    holder = Principal(config.trust_domain, config.jurisdiction, "holder", name)
    return HolderConfig(
        identity=config.identity_folder("holder", holder.name),
        data=folder / "holders" / holder.name,
        vault=config.vault,
    )


def write_config(config: SiteConfig) -> bytes:
    """The text of a fresh site.toml."""
    lines = [
        "# Settings of this side. Addresses of the processes stand in site.json.",
        f"format = {quoted(FORMAT)}",
        f"jurisdiction = {quoted(config.jurisdiction)}",
        f"trust_domain = {quoted(config.trust_domain)}",
        f"host = {quoted(config.host)}",
        f"port_base = {config.port_base}",
        "",
        "[quorum]",
        f"threshold = {config.quorum.threshold}",
        f"holders = {config.quorum.holders}",
        "",
        "[blocks]",
        f"store = {quoted(config.blocks.store)}",
        '# store = "kubo"',
        '# kubo_api = "/ip4/127.0.0.1/tcp/5001"',
        '# kubo_credentials = "private/kubo-credentials"',
        "",
        *(proving_section() if config.jurisdiction == "cn" else []),
    ]
    if config.vault is not None:
        lines += serves_section(config.vault)
    return "\n".join(lines).encode()


def serves_section(vault: Principal) -> list[str]:
    """The lines that name the vault which the holders serve; appended when a side joins."""
    return ["[serves]", f"vault = {quoted(vault.uri)}", ""]


def _vault(uri: str, *, where: str) -> Principal:
    try:
        principal = Principal.parse(uri)
    except CrossproofError as error:
        raise InvalidInputError(f"{where}: vault: {error}") from None
    if principal.role != "vault":
        raise InvalidInputError(f"{where}: {uri} is not a vault", field="vault")
    return principal

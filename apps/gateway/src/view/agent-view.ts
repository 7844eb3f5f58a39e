import { hash } from 'node:crypto';
import { targetKindOf, type DefinitionKind } from '@portcullis/contracts/names';
import type { AgentEntry, DefinitionEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import { buildNameTable, type NameTable } from '@portcullis/mcp';
import { compileTemplate, decide, isCanonicalUri, nextChangeAt, pinnedArguments, type PolicyTable } from '@portcullis/policy';

/** What a call may name: a definition of a server, under the name this agent knows it by. */
export interface VisibleTarget {
  readonly server: ServerEntry;
  readonly definition: DefinitionEntry;
  readonly wire: string;
  /** Arguments that the agent is not shown, because its grants pin them. */
  readonly hidden: readonly string[];
}

/** What a view was made from; entries are compared by identity. */
export interface ViewParts {
  readonly agent: AgentEntry;
  readonly serverIds: readonly string[];
  readonly servers: readonly (ServerEntry | undefined)[];
  /** Those among them that only selectors lead to. */
  readonly selected: readonly ServerEntry[];
}

/** The name of a target at its server: of a resource the URI that was asked for, also where it comes from a template. */
export const ownNameOf = ({ definition, wire }: VisibleTarget): string =>
  definition.kind === 'tool' || definition.kind === 'prompt' ? definition.name : wire;

const NONE: readonly string[] = [];

const hashOf = (text: string): string => hash('sha256', text, 'hex');

/**
 * Everything one agent can see at one endpoint, until `validUntil` (epoch milliseconds; null for as long as its parts stay). Lists and
 * look-ups come from the same decisions, so what is listed resolves and what is not does not.
 */
export class AgentView {
  readonly validUntil: number | null;
  private readonly byKind = new Map<DefinitionKind, readonly VisibleTarget[]>();
  private readonly names = new Map<DefinitionKind, ReadonlyMap<string, VisibleTarget>>();
  private readonly aliases = new Map<DefinitionKind, NameTable>();

  constructor(
    readonly parts: ViewParts,
    readonly table: PolicyTable,
    readonly slug: string | null,
    private readonly madeAt: number,
  ) {
    this.validUntil = nextChangeAt(table, madeAt);
  }

  /** The servers of which this agent sees anything, in order of their slugs. */
  get servers(): readonly ServerEntry[] {
    const kinds: readonly DefinitionKind[] = ['tool', 'prompt', 'resource', 'resource_template'];
    const seen = new Set(kinds.flatMap((kind) => this.list(kind).map(({ server }) => server)));
    return [...seen].sort((a, b) => (a.slug < b.slug ? -1 : 1));
  }

  /** What lists show, in one order that depends on names alone. */
  list(kind: DefinitionKind): readonly VisibleTarget[] {
    const known = this.byKind.get(kind);
    if (known !== undefined) return known;
    const targets = this.named(kind, this.visible(kind));
    this.byKind.set(kind, targets);
    return targets;
  }

  /** The target behind a name as the agent sent it: its own style or the canonical form, exactly, or nothing. */
  find(kind: DefinitionKind, wire: string): VisibleTarget | undefined {
    const targets = this.list(kind);
    let byWire = this.names.get(kind);
    if (byWire === undefined) {
      // Of two servers that offer the same resource URI the first one by slug has it.
      byWire = new Map(targets.toReversed().map((target) => [target.wire, target]));
      this.names.set(kind, byWire);
    }
    const found = byWire.get(wire);
    if (found !== undefined) return found;
    if (kind === 'resource') return this.findByTemplate(wire);
    const entry = this.aliases.get(kind)?.fromWire(wire);
    if (entry === undefined) return undefined;
    return targets.find(({ server, definition }) => server.slug === entry.slug && definition.name === entry.name);
  }

  /** A resource that no list names, through a template that one does; by another spelling than the normal one a denial might be missed. */
  private findByTemplate(uri: string): VisibleTarget | undefined {
    if (!isCanonicalUri(uri)) return undefined;
    const found = this.list('resource_template').find(({ definition }) => matcherOf(definition)(uri));
    return found === undefined ? undefined : { ...found, wire: uri };
  }

  private visible(kind: DefinitionKind): VisibleTarget[] {
    const targets: VisibleTarget[] = [];
    for (const server of this.parts.servers) {
      if (server === undefined || !server.enabled || (this.slug !== null && server.slug !== this.slug)) continue;
      for (const definition of server.definitions) {
        if (definition.kind !== kind) continue;
        const target = { server, kind: targetKindOf[kind], name: definition.name, definition };
        const { effect } = decide(this.table, target, undefined, this.madeAt);
        if (effect === 'deny') continue;
        const hidden = effect === 'conditional' ? pinnedArguments(this.table, target, this.madeAt) : NONE;
        targets.push({ server, definition, wire: definition.name, hidden });
      }
    }
    return targets.sort(bySlugThenName);
  }

  /** Gives tools and prompts of many servers names that say whose they are; URIs, and everything on a server's own endpoint, stay. */
  private named(kind: DefinitionKind, targets: VisibleTarget[]): readonly VisibleTarget[] {
    if (this.slug !== null || kind === 'resource' || kind === 'resource_template') return targets;
    const entries = targets.map(({ server, definition }) => ({ slug: server.slug, name: definition.name }));
    const table = buildNameTable(this.parts.agent.toolNameStyle, entries, hashOf);
    this.aliases.set(kind, table);
    return targets.map((target) => ({ ...target, wire: table.toWire(target.server.slug, target.definition.name) ?? target.wire }));
  }
}

const matchers = new WeakMap<DefinitionEntry, (uri: string) => boolean>();

function matcherOf(definition: DefinitionEntry): (uri: string) => boolean {
  let matcher = matchers.get(definition);
  if (matcher === undefined) {
    matcher = compileTemplate(definition.name);
    matchers.set(definition, matcher);
  }
  return matcher;
}

function bySlugThenName(a: VisibleTarget, b: VisibleTarget): number {
  if (a.server.slug !== b.server.slug) return a.server.slug < b.server.slug ? -1 : 1;
  if (a.definition.name === b.definition.name) return 0;
  return a.definition.name < b.definition.name ? -1 : 1;
}

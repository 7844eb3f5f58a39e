import { hash } from 'node:crypto';
import type { DefinitionKind } from '@portcullis/contracts/names';
import type { DefinitionEntry } from '@portcullis/contracts/snapshot';
import type { AgentView, VisibleTarget } from '../view/agent-view.js';

/** The lists whose changes agents are told of. */
export const LIST_KINDS = ['tools', 'prompts', 'resources'] as const;
export type ListKind = (typeof LIST_KINDS)[number];

/** A set of lists, as bits: a node keeps one for each of many thousand streams. */
export type ListSet = number;

export const NO_LISTS: ListSet = 0;
export const ALL_LISTS: ListSet = 0b111;
const BITS: Readonly<Record<ListKind, ListSet>> = { tools: 0b001, prompts: 0b010, resources: 0b100 };
const SHOWN: Readonly<Record<ListKind, readonly DefinitionKind[]>> = {
  tools: ['tool'],
  prompts: ['prompt'],
  resources: ['resource', 'resource_template'],
};

export const listSet = (...kinds: readonly ListKind[]): ListSet => kinds.reduce((set, kind) => set | BITS[kind], NO_LISTS);
export const hasList = (set: ListSet, kind: ListKind): boolean => (set & BITS[kind]) !== 0;

/** What is compared of two views. */
interface ViewReading {
  /** One text per list that differs whenever what the list shows does. */
  readonly digests: readonly string[];
  /** Ids of the servers of which some list shows something. */
  readonly shown: readonly string[];
}

const readings = new WeakMap<AgentView, ViewReading>();

/** Reads a view once, however often something is said to have changed that did not. */
export function readView(view: AgentView): ViewReading {
  let reading = readings.get(view);
  if (reading === undefined) {
    reading = { digests: listDigests(view), shown: view.servers.map(({ id }) => id) };
    readings.set(view, reading);
  }
  return reading;
}

function listDigests(view: AgentView): readonly string[] {
  return LIST_KINDS.map((kind) => {
    const lines = SHOWN[kind].flatMap((shown) => view.list(shown).map(lineOf));
    return lines.length === 0 ? '' : hash('sha256', lines.join('\n'), 'base64url');
  });
}

const lineOf = ({ wire, definition, hidden }: VisibleTarget): string => `${wire}\n${digestOf(definition)}\n${JSON.stringify(hidden)}`;

/** The lists that differ between two readings. */
export function differingLists(before: readonly string[], after: readonly string[]): ListSet {
  return listSet(...LIST_KINDS.filter((_kind, at) => before[at] !== after[at]));
}

const digests = new WeakMap<DefinitionEntry, string>();

function digestOf(definition: DefinitionEntry): string {
  const known = digests.get(definition);
  if (known !== undefined) return known;
  // The pin leaves `_meta` out, lists show it.
  const digest = hash('sha256', definition.json, 'base64url');
  digests.set(definition, digest);
  return digest;
}

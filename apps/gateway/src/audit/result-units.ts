import type { SettingsEntry } from '@portcullis/contracts/snapshot';
import { isJsonObject, ownMember, parseJson } from '@portcullis/mcp';
import { compileGlob } from '@portcullis/policy';
import { LRUCache } from '../memory/lru-cache.js';

/** What a result may say that a call took: more is taken for a mistake. */
const UNITS_MAX = 1e9;
const MILLIONTHS = 1e6;
const TOOLS_KNOWN_MAX = 10_000;
const NONE: readonly string[] = [];

type Settings = Pick<SettingsEntry, 'resultUnits'>;

const known = new WeakMap<NonNullable<SettingsEntry['resultUnits']>, LRUCache<readonly string[]>>();

/** The places in the `_meta` of this tool's results that some price asks for. None, and nothing is looked at, where no price does. */
export function unitsAsked({ resultUnits }: Settings, server: string, tool: string): readonly string[] {
  if (resultUnits === undefined) return NONE;
  const tools = known.get(resultUnits) ?? new LRUCache<readonly string[]>(TOOLS_KNOWN_MAX);
  known.set(resultUnits, tools);
  const key = `${server} ${tool}`;
  const units = tools.get(key) ?? unitsOf(resultUnits, server, tool);
  tools.set(key, units);
  return units;
}

const unitsOf = (asked: NonNullable<SettingsEntry['resultUnits']>, server: string, tool: string): string[] => [
  ...new Set(asked.flatMap((one) => (compileGlob(one.server)(server) && compileGlob(one.tool)(tool) ? [one.unit] : []))),
];

/** What a result reports at these places, in millionths; undefined where it reports no number that can be charged for at any of them. */
export function readUnits(resultJson: string, places: readonly string[]): Record<string, number> | undefined {
  const result: unknown = parseJson(resultJson);
  const meta = isJsonObject(result) ? ownMember(result, '_meta') : undefined;
  const read = places.flatMap((place) => {
    const value = valueAt(meta, place);
    const isCharged = typeof value === 'number' && value >= 0 && value <= UNITS_MAX;
    return isCharged ? [[place, Math.round(value * MILLIONTHS)] as const] : [];
  });
  return read.length === 0 ? undefined : Object.fromEntries(read);
}

/** RFC 6901, through objects alone. */
function valueAt(value: unknown, pointer: string): unknown {
  for (const token of pointer.slice(1).split('/')) {
    if (!isJsonObject(value)) return undefined;
    value = ownMember(value, token.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return value;
}

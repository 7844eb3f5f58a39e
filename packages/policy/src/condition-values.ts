import { celList, celMap, type CelInput, type CelMap } from '@bufbuild/cel';
import type { JsonObject } from './decision.js';

/** Arguments as conditions see them. `weight` grows with the work of looking at all of them once. */
export interface ConditionArgs {
  readonly map: CelMap;
  readonly weight: number;
}

/** Characters that cost as much to compare as one value. */
const CHARS_PER_WEIGHT = 64;

/** Turns parsed JSON into CEL values. Numbers are doubles, as in CEL's own mapping of JSON; own members alone count, whatever they are called. */
export function toConditionArgs(args: JsonObject): ConditionArgs {
  let weight = 1;
  const toValue = (value: unknown): CelInput => {
    weight += 1;
    if (typeof value === 'string') weight += value.length / CHARS_PER_WEIGHT;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
    if (Array.isArray(value)) return celList(value.map(toValue));
    return typeof value === 'object' ? toMap(value) : null;
  };
  const toMap = (object: object): CelMap => {
    const map = celMap(new Map(Object.entries(object).map(([key, value]) => [key, toValue(value)])));
    // The library's own takes a member that is null for absent.
    return Object.assign(map, { has: (key: Parameters<CelMap['has']>[0]) => map.get(key) !== undefined });
  };
  return { map: toMap(args), weight: Math.ceil(weight) };
}

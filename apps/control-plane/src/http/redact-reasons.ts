import { redactText } from '@portcullis/audit';

/** What a call is tried with says what it says. */
const ARGUMENTS: ReadonlySet<string> = new Set(['args', 'arguments']);

/**
 * Replaces known shapes of secrets in every `reason` of a value from outside, however deep: whatever somebody gives as a reason is kept in clear and for
 * years. Changes the value itself, and gives it.
 */
export function redactReasons<Value>(value: Value): Value {
  const open: unknown[] = [value];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (typeof item !== 'object' || item === null) continue;
    for (const [name, member] of Object.entries(item)) {
      if (name === 'reason' && typeof member === 'string') Reflect.set(item, name, redactText(member));
      else if (typeof member === 'object' && !ARGUMENTS.has(name)) open.push(member);
    }
  }
  return value;
}

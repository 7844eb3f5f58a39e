import type { PinnedArguments } from '@portcullis/contracts/grants';
import type { ClassifiedRequest, JsonObject } from '@portcullis/mcp';

/** A call together with the arguments that its grant pins, as it goes to the server. */
export function withPinnedArguments(call: ClassifiedRequest, args: JsonObject | undefined, pinned: PinnedArguments) {
  const merged = { ...args, ...pinned };
  return { call: { ...call, params: { ...call.params, arguments: merged } }, argumentsJson: JSON.stringify(merged) };
}

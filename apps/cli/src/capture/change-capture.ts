import type { CaptureOverride, ServerCapture } from '@portcullis/contracts/capture';

/** What is to be kept otherwise than now, of arguments and of results. */
export interface CaptureChange {
  readonly arguments?: CaptureOverride | undefined;
  readonly results?: CaptureOverride | undefined;
}

/**
 * A server's rules with these for all that it offers, or for what has this name or glob: added to what is there under the same name, else before the
 * others where it is a name, and behind them where it is a glob. Of several that match the first counts.
 */
export function changeCapture(before: ServerCapture | null, names: string | undefined, change: CaptureChange): ServerCapture {
  const capture = before ?? {};
  if (names === undefined) return { ...capture, ...merged(capture, change) };
  const tools = capture.tools ?? [];
  const isSame = (tool: { names: readonly string[] }): boolean => tool.names.length === 1 && tool.names[0] === names;
  if (tools.some(isSame)) return { ...capture, tools: tools.map((tool) => (isSame(tool) ? { ...tool, ...merged(tool, change) } : tool)) };
  const place = names.includes('*') ? tools.length : 0;
  return { ...capture, tools: tools.toSpliced(place, 0, { names: [names], ...merged({}, change) }) };
}

/** The rules without those for this name or glob; null where none are left. */
export function clearCapture(before: ServerCapture | null, names: string | undefined): ServerCapture | null {
  if (names === undefined) return null;
  const tools = (before?.tools ?? []).filter((tool) => tool.names.length !== 1 || tool.names[0] !== names);
  const { tools: _tools, ...rest } = before ?? {};
  const left = { ...rest, ...(tools.length > 0 && { tools }) };
  return Object.keys(left).length === 0 ? null : left;
}

function merged(before: CaptureChange, change: CaptureChange): { arguments?: CaptureOverride; results?: CaptureOverride } {
  return {
    ...((before.arguments ?? change.arguments) && { arguments: { ...before.arguments, ...change.arguments } }),
    ...((before.results ?? change.results) && { results: { ...before.results, ...change.results } }),
  };
}

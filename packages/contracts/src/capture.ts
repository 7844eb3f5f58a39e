import { z } from 'zod';

/**
 * What an audit event keeps of arguments or of a result: all of it; all but secrets, which a marker stands for; a keyed digest by which equal ones are
 * recognised; or nothing but their size.
 */
export const CaptureMode = z.enum(['full', 'redacted', 'hashed', 'none']);
export type CaptureMode = z.infer<typeof CaptureMode>;

export const CAPTURE_BYTES_MAX = 1_048_576;
/** Kept of a result where nothing else is said. */
export const RESULT_BYTES_USUAL = 512;

/** A JSON pointer (RFC 6901) in which a `*` stands for every member or element. What it leads to is replaced as a whole. */
export const CapturePath = z
  .string()
  .max(512)
  .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'is no JSON pointer: each part begins with "/", "~" is written "~0" and "/" in a name "~1"');

const rule = {
  mode: CaptureMode,
  bytesMax: z.number().int().min(0).max(CAPTURE_BYTES_MAX),
  paths: z.array(CapturePath).max(100),
};

/** What is left out is as it is for the server, or for all; paths add up. */
export const CaptureOverride = z.strictObject(rule).partial();
export type CaptureOverride = z.infer<typeof CaptureOverride>;

/** What is kept where no server says otherwise. How much of arguments is `auditArgumentBytesMax`. */
export const AuditCapture = z.strictObject({
  arguments: z.strictObject({ mode: rule.mode, paths: rule.paths }),
  results: z.strictObject(rule),
});
export type AuditCapture = z.infer<typeof AuditCapture>;

export const USUAL_CAPTURE: AuditCapture = {
  arguments: { mode: 'redacted', paths: [] },
  results: { mode: 'redacted', bytesMax: RESULT_BYTES_USUAL, paths: [] },
};

const overrides = { arguments: CaptureOverride.optional(), results: CaptureOverride.optional() };

const ToolCapture = z.strictObject({ names: z.array(z.string().min(1).max(512)).min(1).max(100), ...overrides });

/**
 * What is kept of the calls of one server where that is not as usual. `tools` names some of what it offers (tools, prompts, and resources by URI), exactly or
 * with `*`; of several that match the first counts.
 */
export const ServerCapture = z
  .strictObject({ ...overrides, tools: z.array(ToolCapture).max(100).optional() })
  .meta({ examples: [{ results: { mode: 'none' }, tools: [{ names: ['search_*'], arguments: { mode: 'hashed' } }] }] });
export type ServerCapture = z.infer<typeof ServerCapture>;

const entryOverride = z.object(rule).partial();
const entryOverrides = { arguments: entryOverride.optional(), results: entryOverride.optional() };

/** The same as a snapshot says them: what a newer control plane adds is passed over. */
export const CaptureEntry = z.object(entryOverrides);
export type CaptureEntry = z.infer<typeof CaptureEntry>;
export const ServerCaptureEntry = z.object({
  ...entryOverrides,
  tools: z.array(z.object({ names: z.array(z.string()), ...entryOverrides })).optional(),
});
export type ServerCaptureEntry = z.infer<typeof ServerCaptureEntry>;

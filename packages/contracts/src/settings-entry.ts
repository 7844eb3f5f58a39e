import { z } from 'zod';
import { CaptureEntry } from './capture.js';
import { TokenIssuer } from './token-issuers.js';

/** When the outcome of a call counts as recorded: `queue` (Redis has it), `spool` (the kernel has it), `both`. */
export const AuditRelease = z.enum(['queue', 'spool', 'both']);
export type AuditRelease = z.infer<typeof AuditRelease>;

export const SettingsEntry = z.object({
  /** A node refuses to decide on policy older than this. 30 s to 24 h. */
  staleAfterMs: z.number().int().min(30_000).max(86_400_000),
  auditRelease: AuditRelease,
  /** Whether handshakes and lists leave an audit event. */
  auditLists: z.boolean(),
  /** How much of arguments is kept in an audit event, in bytes. */
  auditArgumentBytesMax: z.number().int().nonnegative(),
  /** Where agents reach the gateway, and whose access tokens they may call with; unsaid where there are none. */
  publicUrl: z.string().optional(),
  tokenIssuers: z.array(TokenIssuer).optional(),
  /** What calls of which tools are charged by: places (JSON pointers) in the `_meta` of their results. Unsaid where no price asks for any. */
  resultUnits: z.array(z.object({ server: z.string(), tool: z.string(), unit: z.string() })).optional(),
  /** What is kept of arguments and results; unsaid where it is as usual. */
  capture: CaptureEntry.optional(),
});
export type SettingsEntry = z.infer<typeof SettingsEntry>;

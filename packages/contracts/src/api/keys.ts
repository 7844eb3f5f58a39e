import { z } from 'zod';
import { Timestamp } from './conventions.js';

/**
 * What a key is for: `signing` policy, `sealing` what only control planes open, `credential` what servers are called with on its way to nodes,
 * `session` what nodes hand out, `pepper` under secrets of agents, operators and nodes.
 */
export const KeyPurposeName = z.enum(['signing', 'sealing', 'credential', 'session', 'pepper']);
export type KeyPurposeName = z.infer<typeof KeyPurposeName>;

/** One purpose and its valid keys, the newest first. No answer holds a key. */
export const KeyGenerations = z
  .object({
    purpose: KeyPurposeName,
    keys: z.array(z.object({ keyId: z.string(), createdAt: Timestamp })),
    /** Values that still wait to be sealed under the newest key; until none does, the one before stays and no newer one is made. */
    waiting: z.number().int(),
  })
  .meta({
    id: 'KeyGenerations',
    examples: [{ purpose: 'sealing', keys: [{ keyId: '0f1e2d3c4b5a6978', createdAt: '2026-11-22T12:00:00Z' }], waiting: 0 }],
  });
export type KeyGenerations = z.infer<typeof KeyGenerations>;

/** The key under which all others lie sealed. `waiting`: how many of them still lie under the one before, which may go when none does. */
export const MasterKeyState = z
  .object({ keyId: z.string(), waiting: z.number().int() })
  .meta({ id: 'MasterKeyState', examples: [{ keyId: '0f1e2d3c4b5a6978', waiting: 0 }] });
export type MasterKeyState = z.infer<typeof MasterKeyState>;

/** Every purpose; there are five, and no further page. */
export const KeyRingReport = z.object({ items: z.array(KeyGenerations), master: MasterKeyState, nextCursor: z.null() }).meta({ id: 'KeyRingReport' });
export type KeyRingReport = z.infer<typeof KeyRingReport>;

/** `endOlder`, of session keys alone: what agents and nodes hold that was made with older ones ends at once, such as sessions and keys for tasks. */
export const RotateKey = z.strictObject({ endOlder: z.boolean().default(false) }).meta({ id: 'RotateKey', examples: [{}, { endOlder: true }] });
export type RotateKey = z.infer<typeof RotateKey>;

import { z } from 'zod';
import { Id } from './names.js';

export const TASK_KEY_PREFIX = 'task_';
/** Longest task key. */
export const TASK_KEY_CHARS_MAX = 4096;
/** What a task key's seal is bound to, and what the key that seals it is derived for. */
export const TASK_KEY_AAD = 'task-key|1';
export const TASK_KEY_PURPOSE = 'task keys 1';
export const TASK_TTL_SECONDS_MAX = 86_400;

/** Names the task in the audit trail; chosen by whoever asks for the key. */
export const TaskName = z.string().regex(/^[\w.:/@+-]{1,128}$/, 'must be 1–128 characters of A–Z, a–z, 0–9 and . _ : / @ + -');

const names = z.array(z.string().min(1).max(200)).min(1).max(64);

/** What a task may use of what its agent may: everything of the servers, and the tools (`server:tool`). `*` stands for any run of characters. */
export const Narrowing = z.strictObject({ servers: names.optional(), tools: names.optional() });
export type Narrowing = z.infer<typeof Narrowing>;

export const CreateTaskKey = z
  .strictObject({
    task: TaskName,
    servers: names.optional(),
    tools: z
      .array(names.element.regex(/^[^:]+:./s, 'must be server:tool'))
      .min(1)
      .max(64)
      .optional(),
    ttlSeconds: z.number().int().min(1).max(TASK_TTL_SECONDS_MAX).default(3600),
  })
  .refine(({ servers, tools }) => servers !== undefined || tools !== undefined, { message: 'name servers or tools', path: ['tools'] })
  .meta({ id: 'CreateTaskKey', examples: [{ task: 'ticket-4711', tools: ['github:create_issue', 'postgres:query'], ttlSeconds: 900 }] });
export type CreateTaskKey = z.infer<typeof CreateTaskKey>;

/** `key` is shown here and never again; nothing of it is stored. */
export const CreatedTaskKey = z
  .object({ id: z.string(), key: z.string(), task: TaskName, agent: z.string(), parentKeyId: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: 'CreatedTaskKey' });
export type CreatedTaskKey = z.infer<typeof CreatedTaskKey>;

/** What is sealed in a task key. Every narrowing holds: one that was made with a narrowed key has that key's, too. */
export const TaskKeyContent = z.object({
  id: z.string(),
  agentId: Id,
  parentKeyId: z.string(),
  task: TaskName,
  expiresAt: z.number().int(),
  within: z.array(Narrowing).min(1),
  /** Whom the access token that it was made with spoke for. */
  onBehalfOf: z.string().optional(),
});
export type TaskKeyContent = z.infer<typeof TaskKeyContent>;

import { z } from 'zod';
import { CapturePath } from './capture.js';

/**
 * What becomes of an answer in which a rule finds something: it passes, and the trail says so; it passes with a marker in the place of each thing that was
 * found; or nothing of it passes.
 */
export const AnswerAction = z.enum(['log', 'redact', 'block']);
export type AnswerAction = z.infer<typeof AnswerAction>;

/** The first schema whose nodes obey rules on answers. */
export const ANSWER_RULES_SCHEMA_VERSION = 5;
export const ANSWER_BYTES_USUAL = 1_048_576;
export const ANSWER_BYTES_MAX = 4_194_304;
/** Of one server, so that looking an answer through stays cheap. */
const TEXTS_MAX = 100;

const AnswerText = z
  .string()
  .max(200)
  .regex(/^[^*]{3,}(?:\*[^*]*)?$/, 'begins with three characters that are no "*", and has one "*" at most');

/**
 * `names` of what the server offers (tools, prompts, and resources by URI) and `agents` by slug, all where none are named, each exactly or with `*`. At
 * least one of the others says what is looked for.
 */
const AnswerRule = z
  .strictObject({
    names: z.array(z.string().min(1).max(512)).min(1).max(100),
    agents: z.array(z.string().min(1).max(64)).min(1).max(100).optional(),
    action: AnswerAction,
    /** Whatever is taken for a secret by its shape or by the name of its field. */
    secrets: z.literal(true).optional(),
    /** Texts, in upper and lower case alike, in which one `*` stands for a run of characters without blanks and quotes. */
    texts: z.array(AnswerText).min(1).max(50).optional(),
    /** Places in the result; where there is such a place, something is found. */
    paths: z.array(CapturePath).min(1).max(50).optional(),
  })
  .refine(({ secrets, texts, paths }) => secrets ?? texts ?? paths, 'says what to look for: secrets, texts or paths');

/**
 * What agents may get of what one server answers. Every rule that names a call's target and agent looks at its answer, and at messages before it; the strictest
 * that finds something counts. Answers longer than `bytesMax` (1 MiB) are refused where a rule may redact or block them.
 */
export const AnswerRules = z
  .strictObject({ bytesMax: z.number().int().min(1024).max(ANSWER_BYTES_MAX).optional(), rules: z.array(AnswerRule).min(1).max(20) })
  .refine(({ rules }) => rules.flatMap(({ texts = [] }) => texts).length <= TEXTS_MAX, {
    path: ['rules'],
    message: `have more than ${String(TEXTS_MAX)} texts together`,
  })
  .meta({ examples: [{ rules: [{ names: ['*'], action: 'redact', secrets: true }] }] });
export type AnswerRules = z.infer<typeof AnswerRules>;

/** The same as a snapshot says them: what a newer control plane adds is passed over. */
export const AnswerRulesEntry = z.object({
  bytesMax: z.number().int().positive().optional(),
  rules: z.array(
    z.object({
      names: z.array(z.string()),
      agents: z.array(z.string()).optional(),
      action: AnswerAction,
      secrets: z.boolean().optional(),
      texts: z.array(z.string()).optional(),
      paths: z.array(z.string()).optional(),
    }),
  ),
});
export type AnswerRulesEntry = z.infer<typeof AnswerRulesEntry>;

import { questionUrl, type Question } from './input-required.js';
import { isJsonObject, ownMember } from './json-value.js';

/** What a person should know before they answer a question: it seems to ask for a secret, or its address is not spelled as it looks. */
export type QuestionNote = 'asks_secret' | 'odd_address';

const SECRET =
  /\b(?:password|passphrase|passcode|passwd|pwd|secrets?|(?:api|access|private|secret|recovery) keys?|token|credentials?|otp|one time (?:code|password)|pin (?:code|number)|cvv|cvc|card number)\b/;
const WORD_STARTS = /(\p{Ll}|\d)(?=\p{Lu})/gu;
const JOINTS = /[-_.\s]+/g;

/** The note that a question deserves, if any. A hint for people, which lets nothing through and keeps nothing back: MCP forbids servers to ask for secrets in forms. */
export function noteOf(question: Question): QuestionNote | undefined {
  if (question.method !== 'elicitation/create') return undefined;
  const url = questionUrl(question);
  if (url !== undefined)
    return URL.canParse(url) && new URL(url).hostname.split('.').some((label) => label.startsWith('xn--')) ? 'odd_address' : undefined;
  return textsOf(question).some(isOfSecret) ? 'asks_secret' : undefined;
}

function isOfSecret(text: string): boolean {
  return SECRET.test(text.replaceAll(WORD_STARTS, '$1 ').replaceAll(JOINTS, ' ').toLowerCase());
}

/** What a form says, and how it names and describes its fields. */
function textsOf({ params }: Question): string[] {
  const message = params && ownMember(params, 'message');
  const schema = params && ownMember(params, 'requestedSchema');
  const properties = isJsonObject(schema) ? ownMember(schema, 'properties') : undefined;
  const fields = isJsonObject(properties) ? Object.entries(properties) : [];
  const ofFields = fields.flatMap(([name, field]) => [
    name,
    ...(isJsonObject(field) ? ['title', 'description', 'format'].map((key) => ownMember(field, key)) : []),
  ]);
  return [message, ...ofFields].filter((text) => typeof text === 'string');
}

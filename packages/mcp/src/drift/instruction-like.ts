import { seenOf } from './odd-characters.js';

// Phrases that speak to a model rather than about a tool. They alert and decide nothing: honest descriptions use some of them too.
const PHRASES: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override) (?:\w+ ){0,3}(?:instructions?|prompts?|rules|messages?|context)\b/i,
  /\b(?:do not|don't|never|without) (?:tell|telling|inform|informing|mention|mentioning|notify|notifying|ask|asking|alert|alerting|reveal|revealing) (?:\w+ ){0,3}(?:user|human|operator|anyone|anybody|it|this|them)\b/i,
  /\b(?:before|after|when|whenever|prior to) (?:using|calling|invoking|running) (?:this|any|other|another|the|these) (?:\w+ ){0,2}tools?\b/i,
  /\b(?:you|the (?:assistant|model|agent|llm|ai)) (?:must|should|shall|have to|need to|are required to) (?:always |first |also |never )?(?:call|use|read|send|include|pass|run|execute|append|forward|copy|provide)\b/i,
  /\b(?:always|instead) (?:call|use|invoke|run) (?:this|the) (?:\w+ )?tool\b/i,
  /\b(?:hidden|secret) (?:instructions?|prompts?)\b/i,
  /\b(?:system|developer) (?:prompt|message)s?\b/i,
  /\byou are now\b/i,
  /<\/?(?:important|system|instructions?|assistant|secret|hidden|admin|critical)\b[^<>]{0,40}>/i,
  /\[\/?(?:inst|system|important|admin)\]/i,
  /<\|[a-z_]{1,30}\|>/i,
  /(?:~|\$home|\/root|\/home\/\w{1,32})?\/\.(?:ssh|aws|env|cursor|netrc|npmrc|gnupg|kube)\b/i,
  /\bid_(?:rsa|ed25519)\b/i,
];

/** A phrase that reads like an order to a model. */
export interface InstructionLike {
  readonly phrase: string;
}

/** The phrases in a text that read like orders to a model, each once; what is not seen cannot hide them. */
export function instructionLikeIn(text: string): InstructionLike[] {
  const line = seenOf(text).replaceAll(/\s+/gu, ' ');
  return PHRASES.flatMap((phrase) => {
    const found = phrase.exec(line)?.[0];
    return found === undefined ? [] : [{ phrase: found.slice(0, 100) }];
  });
}

export {
  ASSUMED_LEGACY_VERSION,
  isLegacyVersion,
  isModernVersion,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_LOG_LEVEL,
  META_PROTOCOL_VERSION,
  META_SERVER_INFO,
  META_SUBSCRIPTION_ID,
  MODERN_VERSION,
  negotiateLegacyVersion,
  PROTOCOL_VERSIONS,
  RESERVED_REQUEST_META,
} from './eras.js';
export type { Era } from './eras.js';
export { isJsonObject, ownMember } from './json-value.js';
export type { JsonObject } from './json-value.js';
export { echoableId, isRequestId, REQUEST_ID_CHARS_MAX } from './request-id.js';
export type { RequestId } from './request-id.js';
export { BATCH_MESSAGES_MAX, classifyMessage } from './classify-message.js';
export type { Classified, ClassifiedBatch, ClassifiedNotification, ClassifiedRequest, ClassifiedResponse } from './classify-message.js';
export { nameMemberOf } from './check-headers.js';
export type { McpHeaders } from './check-headers.js';
export type { RefusalCode, RefusedMessage } from './refused-message.js';
export { buildNameTable, canonicalName, WIRE_NAME_CHARS_MAX, wireName } from './tool-names.js';
export type { HashOf, NameEntry, NameTable, ToolNameStyle } from './tool-names.js';
export { decodeHeaderValue, encodeHeaderValue } from './header-values.js';
export { AnswerScanner } from './answer-scanner.js';
export type { AnswerFault } from './answer-scanner.js';
export { DEFAULT_JSON_LIMITS, parseJsonBody, parseJsonText, reachesPrototype } from './json-guard.js';
export type { JsonBody, JsonLimits } from './json-guard.js';
export type { TextLimits } from './scan-json-text.js';
export { parseJson } from './parse-json.js';
export { headerParamsOf, mismatchedHeaderParam, scanHeaderParams } from './header-params.js';
export type { HeaderDeclaration, HeaderScan } from './header-params.js';
export { createSseParser, DEFAULT_SSE_LIMITS, encodeSseMessage, SSE_KEEP_ALIVE } from './sse.js';
export type { SseEvent, SseFault, SseLimits, SseParser } from './sse.js';
export { canonicalDefinition, canonicalJson, cutDefinitions, DEFINITION_BYTES_MAX, DEFINITION_DEPTH_MAX } from './definitions.js';
export type { DefinitionCut, DefinitionPiece, DefinitionProblem } from './definitions.js';
export { definitionFault, IDENTITY_MEMBER, isObjectSchema } from './definition-shape.js';
export type { DefinitionKey } from './definition-shape.js';
export { hideArguments, removeMember, rewriteListEntry } from './rewrite-definition.js';
export {
  completionResult,
  discoverResult,
  emptyResult,
  errorMessage,
  initializeResult,
  listFrame,
  notificationMessage,
  requestMessage,
  resultMessage,
  toolErrorResult,
  toolResult,
} from './messages.js';
export type { Implementation, ListOptions, ResultOptions } from './messages.js';
export {
  askableCapabilities,
  canBeAsked,
  capabilitiesFor,
  questionUrl,
  QUESTIONS_MAX,
  readInputRequired,
  readQuestion,
  urlElicitationsOf,
} from './input-required.js';
export type { InputRequired, Question, QuestionMethod } from './input-required.js';
export { noteOf, type QuestionNote } from './question-note.js';
export { clampTtl, legacyError, legacyResult, modernError, modernResult, resultTypeOf, toLegacyToolJson } from './downgrade.js';
export type { CacheHint, RpcError } from './downgrade.js';
export { ProgressFinder } from './progress-line.js';
export type { ProgressLine } from './progress-line.js';
export { carriesAllContent, contentFor } from './older-content.js';
export { upstreamHeaders, upstreamMeta } from './upstream-request.js';
export type { UpstreamEnvelope } from './upstream-request.js';
export { diffJson, isSameJson } from './drift/diff-json.js';
export type { FieldChange } from './drift/diff-json.js';
export { differsInDescriptionsOnly } from './drift/describing-members.js';
export type { DefinitionMark } from './drift/definition-mark.js';
export { definitionMarks, textsIn } from './drift/definition-marks.js';
export type { FoundText } from './drift/definition-marks.js';
export type { OddCharacter } from './drift/odd-characters.js';
export { mentionedNames, nameSkeleton } from './drift/look-alike.js';
export type { MentionedName } from './drift/look-alike.js';

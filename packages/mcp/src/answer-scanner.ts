import { JsonScanner, type JsonListener } from './json-scanner.js';

/** Why an answer cannot be passed on as it comes. */
export type AnswerFault = 'malformed' | 'twice' | 'no result' | 'error';

const OPEN_BRACE = 0x7b;

/**
 * A JSON-RPC answer that comes in pieces: cuts out the bytes of its result and notes what decides how it is passed on. What was noted of a piece
 * holds for all bytes up to its end, so that whoever looks first passes nothing on too early.
 */
export class AnswerScanner implements JsonListener {
  fault: AnswerFault | undefined;
  /** Whether the result is `isError: true`, as far as it came. */
  isError = false;
  /** `resultType` as far as it came; of several one that is not `complete`. */
  resultType: string | undefined;
  /** Whether it asks its client for something. */
  asks = false;
  /** Whether it has structured content that is no object. */
  hasOddStructure = false;
  private readonly json = new JsonScanner(this);
  private idText: string | undefined;
  private hasResult = false;
  private isInResult = false;
  private wanted = '';
  private from = 0;
  private to = 0;

  /** Whether the result has begun. */
  get hasBegun(): boolean {
    return this.hasResult;
  }

  /** Takes the next bytes and gives those among them that are the result's. */
  push(chunk: Uint8Array): Uint8Array {
    this.from = this.isInResult ? 0 : -1;
    this.to = chunk.length;
    this.json.push(chunk);
    if (this.json.isFaulty) this.fault ??= 'malformed';
    return this.from < 0 ? chunk.subarray(0, 0) : chunk.subarray(this.from, this.to);
  }

  /** Whether it came whole, without fault, and answers the request with this id. */
  answers(id: string): boolean {
    if (this.fault !== undefined || !this.json.isWhole || !this.hasResult || this.idText === undefined) return false;
    return this.idText !== '' && JSON.parse(this.idText) === id;
  }

  value(depth: number, key: string, first: number, at: number): boolean {
    if (depth === 0) {
      if (first !== OPEN_BRACE) this.fault ??= 'malformed';
      return false;
    }
    if (depth === 1) return this.member(key, first, at);
    return this.isInResult && this.resultMember(key, first);
  }

  scalar(depth: number, text: string): void {
    if (depth === 1) this.idText = text;
    else if (this.wanted === 'isError') this.isError = text === 'true';
    else this.noteType(text);
  }

  closed(depth: number, end: number): void {
    if (depth !== 1 || !this.isInResult) return;
    this.isInResult = false;
    this.to = end;
  }

  private member(key: string, first: number, at: number): boolean {
    switch (key) {
      case 'id':
        if (this.idText !== undefined) this.fault ??= 'twice';
        this.idText = '';
        return true;
      case 'result':
        if (this.hasResult) this.fault ??= 'twice';
        if (first !== OPEN_BRACE) this.fault ??= 'no result';
        this.hasResult = true;
        this.isInResult = first === OPEN_BRACE;
        this.from = at;
        return false;
      case 'error':
        this.fault ??= 'error';
        return false;
      default:
        return false;
    }
  }

  private resultMember(key: string, first: number): boolean {
    this.wanted = key;
    switch (key) {
      case 'isError':
        this.isError = false;
        return true;
      case 'resultType':
        if (first !== 0x22) this.noteType('""');
        return first === 0x22;
      case 'inputRequests':
      case 'requestState':
        this.asks = true;
        return false;
      case 'structuredContent':
        if (first !== OPEN_BRACE) this.hasOddStructure = true;
        return false;
      default:
        return false;
    }
  }

  private noteType(text: string): void {
    const type: unknown = text === '' ? '' : JSON.parse(text);
    if (this.resultType === undefined || this.resultType === 'complete') this.resultType = String(type);
  }
}

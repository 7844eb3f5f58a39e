import { StringDecoder } from 'node:string_decoder';

/** What is shorter is in too many other words to be replaced. */
const SECRET_CHARS_MIN = 4;

let versions = 0;

/** The last of what children wrote to stderr, as text for people: secrets of their environment are replaced before anything is kept. */
export class LogTail {
  /** Another number whenever something was added, which no other log ever has. */
  version = 0;
  private text = '';
  /** What may be the beginning of a secret; nobody reads it before that is known. */
  private pending = '';
  private readonly decoder = new StringDecoder('utf8');
  private readonly secrets: readonly { readonly form: string; readonly name: string }[];

  constructor(
    private readonly charsMax: number,
    secrets: Readonly<Record<string, string>>,
  ) {
    this.secrets = Object.entries(secrets)
      .flatMap(([name, secret]) => formsOf(secret).map((form) => ({ form, name })))
      .toSorted((a, b) => b.form.length - a.form.length);
  }

  push(chunk: Buffer): void {
    const text = this.replaced(this.pending + this.decoder.write(chunk));
    const held = this.begunSecret(text);
    this.pending = text.slice(text.length - held);
    this.add(text.slice(0, text.length - held));
  }

  /** Well-formed, so that it can be stored anywhere: its beginning may have been cut off in the middle of a character. */
  read(): string {
    return this.text.toWellFormed();
  }

  /** Some other text about the same children, as readable and without the same secrets. */
  cleaned(text: string): string {
    return printable(this.replaced(text)).toWellFormed();
  }

  /** A line that the child did not write to stderr. */
  note(line: string): void {
    this.add(`${this.text === '' || this.text.endsWith('\n') ? '' : '\n'}[runner] ${this.replaced(line)}\n`);
  }

  private replaced(text: string): string {
    let result = text;
    for (const { form, name } of this.secrets) result = result.replaceAll(form, `[secret ${name}]`);
    return result;
  }

  /** How many characters at the end may be the beginning of a secret. */
  private begunSecret(text: string): number {
    let held = 0;
    for (const { form } of this.secrets) {
      for (let length = Math.min(form.length - 1, text.length); length > held; length -= 1) if (text.endsWith(form.slice(0, length))) held = length;
    }
    return held;
  }

  private add(text: string): void {
    if (text === '') return;
    const all = this.text + printable(text);
    this.text = all.length <= this.charsMax ? all : all.slice(-this.charsMax);
    this.version = versions += 1;
  }
}

/** A secret as it is likely to be written: as it is, line by line, and in the encodings that programs print. */
function formsOf(secret: string): string[] {
  const forms = [
    secret,
    ...secret.split(/\r?\n/),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
  ];
  return [...new Set(forms)].filter((form) => form.length >= SECRET_CHARS_MIN);
}

/** What terminals and readers of logs take for commands becomes a mark. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly these are to go
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

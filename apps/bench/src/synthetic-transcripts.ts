import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { v5 as uuidv5 } from 'uuid';

/** What a tree of transcripts says, for whoever reads it to be held against. */
export interface TranscriptTotals {
  readonly files: number;
  readonly bytes: number;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
}

const namespace = '6a1f2f4e-62d5-4ad1-8f0e-0d3f5a0f9b57';
const models = [
  'claude-sonnet-4-5-20250929',
  'claude-opus-4-5-20251101',
  'claude-haiku-4-5-20251001',
] as const;
const firstSessionAt = Date.parse('2026-09-01T00:00:00Z');
const sessionEveryMs = 9.6 * 3_600_000;
const contextMax = 190_000;
const prose = 'A file was read, a test was run and its output looked at once more. '.repeat(60);

/**
 * Writes transcripts as Claude Code leaves them: of each request one or two assistant lines that repeat
 * its usage, then what a tool answered, and lines that are no usage at all. The same every time.
 */
export function writeTranscripts(
  folder: string,
  sessions: number,
  lines: number,
): TranscriptTotals {
  const totals = {
    ...{ files: 0, bytes: 0, requests: 0 },
    ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 },
  };
  for (let index = 0; index < sessions; index += 1) {
    const project = join(folder, 'projects', `-repo-project-${index % 12}`);
    mkdirSync(project, { recursive: true });
    const session = new Session(index);
    while (session.assistantLines < lines) session.request(lines);
    const text = session.text;
    writeFileSync(join(project, `${session.id}.jsonl`), text);
    totals.files += 1;
    totals.bytes += Buffer.byteLength(text);
    totals.requests += session.requests;
    totals.inputTokens += session.tokens.input;
    totals.outputTokens += session.tokens.output;
    totals.cacheReadTokens += session.tokens.cacheRead;
    totals.cacheCreationTokens += session.tokens.cacheCreation;
  }
  return totals;
}

class Session {
  readonly id: string;
  readonly tokens = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0 };
  assistantLines = 0;
  requests = 0;
  private readonly written: string[] = [];
  private readonly model: string;
  private state: number;
  private at: number;
  private context = 15_000;

  constructor(private readonly index: number) {
    this.id = uuidv5(`session ${index}`, namespace);
    this.model = models[index % 10 < 6 ? 0 : index % 10 < 9 ? 1 : 2];
    this.state = index + 1;
    this.at = firstSessionAt + Math.floor(index * sessionEveryMs);
    const content = prose.slice(0, 300);
    this.write({ type: 'user', uuid: this.uuid(), message: { role: 'user', content } });
  }

  get text(): string {
    return `${this.written.join('\n')}\n`;
  }

  /** A request with its answer in one line or two, and what the tool said to it. */
  request(linesMax: number): void {
    const id = `${this.index}_${this.requests}`;
    const usage = this.use();
    const blocks = this.upTo(10) < 6 ? ['text', 'tool_use'] : ['tool_use'];
    for (const type of blocks.slice(0, linesMax - this.assistantLines)) {
      const content = [{ type, text: prose.slice(0, 40 + this.upTo(860)) }];
      const message = { id: `msg_${id}`, role: 'assistant', model: this.model, content, usage };
      this.write({ type: 'assistant', uuid: this.uuid(), message, requestId: `req_${id}` });
      this.assistantLines += 1;
    }
    const content = [{ type: 'tool_result', content: prose.slice(0, 50 + this.upTo(2_450)) }];
    this.write({ type: 'user', uuid: this.uuid(), message: { role: 'user', content } });
    if (this.upTo(10) < 3) this.write({ type: 'last-prompt', lastPrompt: 'go on' });
    this.requests += 1;
  }

  private use() {
    const { tokens } = this;
    const [input, cacheCreation] = [3 + this.upTo(38), 100 + this.upTo(3_900)];
    const [output, cacheRead] = [40 + this.upTo(1_760), this.context];
    this.context =
      this.context + cacheCreation >= contextMax ? 25_000 : this.context + cacheCreation;
    tokens.input += input;
    tokens.output += output;
    tokens.cacheRead += cacheRead;
    tokens.cacheCreation += cacheCreation;
    return {
      input_tokens: input,
      cache_creation_input_tokens: cacheCreation,
      cache_read_input_tokens: cacheRead,
      output_tokens: output,
      service_tier: 'standard',
      cache_creation: {
        ephemeral_5m_input_tokens: cacheCreation,
        ephemeral_1h_input_tokens: 0,
      },
    };
  }

  private write(line: object): void {
    this.at += 200 + this.upTo(3_800);
    const place = {
      cwd: `/repo/project-${this.index % 12}`,
      gitBranch: 'main',
      version: '2.1.329',
    };
    const timestamp = new Date(this.at).toISOString();
    this.written.push(
      JSON.stringify({ ...line, timestamp, sessionId: this.id, isSidechain: false, ...place }),
    );
  }

  private uuid(): string {
    return uuidv5(`${this.index} ${this.written.length}`, namespace);
  }

  /** The next whole number below `end` of a series that is the same every time. */
  private upTo(end: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * end);
  }
}

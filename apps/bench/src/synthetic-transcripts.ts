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
const prose = 'A file was read, a test was run\nand its output looked at once more. '.repeat(80);

/** What every line of the client carries. */
const surroundings = {
  userType: 'external',
  entrypoint: 'cli',
  version: '2.1.329',
  gitBranch: 'main',
};

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
  private last: string | null = null;

  constructor(private readonly index: number) {
    this.id = uuidv5(`session ${index}`, namespace);
    this.model = models[index % 10 < 6 ? 0 : index % 10 < 9 ? 1 : 2];
    this.state = index + 1;
    this.at = firstSessionAt + Math.floor(index * sessionEveryMs);
    const content = prose.slice(0, 300);
    this.write({ type: 'user', message: { role: 'user', content } });
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
      this.answer(id, type, usage);
      this.assistantLines += 1;
    }
    const text = prose.slice(0, 50 + this.upTo(2_450));
    const content = [
      { tool_use_id: `toolu_${id}`, type: 'tool_result', content: text, is_error: false },
    ];
    const toolUseResult = {
      stdout: text.slice(0, 20 + this.upTo(180)),
      stderr: '',
      interrupted: false,
    };
    this.write({ type: 'user', message: { role: 'user', content }, toolUseResult });
    if (this.upTo(10) < 3) this.write({ type: 'last-prompt', lastPrompt: 'go on' });
    this.requests += 1;
  }

  private answer(id: string, type: string, usage: object): void {
    const text = prose.slice(0, 40 + this.upTo(860));
    const input = { command: text.slice(0, 400), description: 'run' };
    const block =
      type === 'text' ? { type, text } : { type, id: `toolu_${id}`, name: 'Bash', input };
    const message = {
      ...{ id: `msg_${id}`, type: 'message', role: 'assistant', model: this.model },
      ...{
        content: [block],
        stop_reason: 'tool_use',
        stop_sequence: null,
        usage,
        stop_details: null,
      },
    };
    this.write({
      ...{ message, apiBlockIndex: 0, requestId: `req_${id}`, requestRef: this.uuid() },
      ...{ requestedModel: this.model, promptCacheRequested: '5m', type: 'assistant' },
      ...{ perTurnEffort: null, madeBy: 'model' },
    });
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
      output_tokens_details: { thinking_tokens: 0 },
      server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
      service_tier: 'standard',
      cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: cacheCreation },
      inference_geo: '',
      iterations: [],
      speed: 'standard',
      fallback_credit: null,
    };
  }

  private write(line: object): void {
    this.at += 200 + this.upTo(3_800);
    const ids = { parentUuid: this.last, isSidechain: false, uuid: this.uuid() };
    const place = { cwd: `/repo/project-${this.index % 12}`, sessionId: this.id };
    const timestamp = new Date(this.at).toISOString();
    this.last = ids.uuid;
    this.written.push(JSON.stringify({ ...ids, ...line, timestamp, ...surroundings, ...place }));
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

import { performance } from 'node:perf_hooks';
import { Agent, request } from 'node:http';

/** Milliseconds that the server takes to answer a hook, as who asks sees it. */
export interface HookCost {
  readonly hook: string;
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A prompt is an event that is on the disk when it is answered; a tool only asks the gate. */
export async function hookCosts(
  url: string,
  token: string,
  calls: number,
): Promise<readonly HookCost[]> {
  const costs: HookCost[] = [];
  for (const hook of ['UserPromptSubmit', 'PreToolUse']) {
    const taken: number[] = [];
    for (let call = 0; call < calls; call += 1) taken.push(await oneCall(url, token, hook, call));
    costs.push({ hook, calls, ...percentiles(taken) });
  }
  return costs;
}

/** As Claude Code calls: one connection, one call after the other, with what a tool is given. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function oneCall(url: string, token: string, hook: string, call: number): Promise<number> {
  const body = JSON.stringify({
    session_id: `cost-${call % 20}`,
    transcript_path: '/home/dev/.claude/projects/-home-dev-shop/cost.jsonl',
    cwd: '/home/dev/shop',
    prompt_id: `prompt-${call}`,
    hook_event_name: hook,
    tool_name: 'Write',
    tool_input: { file_path: '/home/dev/shop/a.ts', content: 'x'.repeat(10_000) },
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}/api/v1/hooks/claude-code`,
      { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } },
      (response) => {
        response.resume();
        response.on('end', () => {
          if (response.statusCode === 200) resolve(performance.now() - began);
          else reject(new Error(`The server answered ${response.statusCode ?? 'nothing'}.`));
        });
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

/** To the hundredth of a millisecond. */
function percentiles(takenMs: readonly number[]): Pick<HookCost, 'p50Ms' | 'p99Ms'> {
  const sorted = takenMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN) * 100) / 100;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

import { listProcesses } from '#platform/processes.js';
import type { ServerProcess } from '#platform/server-process.js';
import { DispatchClient } from './dispatch-client.js';
import { restedAnswer, slowCommand, slowPrompt } from './scripted-api.js';
import { waitUntil } from './support.js';

interface Shown {
  readonly state: string;
  readonly reason: string | null;
  readonly conversation: { readonly sessionId: string } | null;
  readonly attemptList: readonly { readonly sessionId: string | null }[];
}

/**
 * A real client is paused in the middle of a tool call and carried on: nothing of it is left meanwhile, its
 * session is the same, and the model is shown what was said before.
 */
export async function pausesAndCarriesOn(server: ServerProcess, task: object): Promise<boolean> {
  const operator = DispatchClient.operatorOf(server);
  const taskId = await operator.submit({ prompt: slowPrompt, retries: 0, ...task });
  const shown = async () => (await operator.get<Shown>(`tasks/${taskId}`)).body;
  const becomes = (state: string): Promise<void> =>
    waitUntil(`it is ${state}`, async () => (await shown()).state === state, 60_000);
  await waitUntil('its tool runs', async () => (await slowOnes()).length > 0, 60_000);
  await operator.post(`tasks/${taskId}/pause`, { reason: 'lunch' });
  await becomes('paused');
  const left = await slowOnes();
  const { conversation } = await shown();
  await operator.post(`tasks/${taskId}/resume`);
  await becomes('completed').catch(() => undefined);
  const { state, reason, attemptList } = await shown();
  const { body } = await operator.get<{ result: unknown }>(`tasks/${taskId}/result`);
  const sessions = attemptList.map(({ sessionId }) => sessionId);
  const isSame = sessions.length === 2 && new Set(sessions).size === 1;
  const isCarriedOn = isSame && left.length === 0 && body.result === restedAnswer;
  const { result } = body;
  console.log(
    JSON.stringify({
      paused: { state, reason, conversation, sessions, left, result },
      isCarriedOn,
    }),
  );
  return isCarriedOn;
}

async function slowOnes(): Promise<number[]> {
  const all = await listProcesses();
  return all.filter((it) => it.arguments.join(' ') === slowCommand).map(({ pid }) => pid);
}

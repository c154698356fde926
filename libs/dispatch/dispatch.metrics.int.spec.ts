import { Registry } from 'prom-client';
import { DispatchServer } from './dispatch-api.contract.js';
import { registerDispatchMetrics } from './dispatch.metrics.js';

let server: DispatchServer;
beforeEach(async () => {
  server = new DispatchServer();
  await server.start();
});
afterEach(() => server.stop());

test('A scrape tells of the queue as it is at this moment', async () => {
  const registry = new Registry();
  registerDispatchMetrics(registry, server.dispatcher);
  expect(await registry.metrics()).toContain('tri_agent_tasks{lane="normal",status="ready"} 0');
  await server.submit({ lane: 'critical' });
  await server.submit({ shard: 'review' });
  const { workerId } = await server.register({ shards: ['impl'] });
  await server.post('claims', { workerId });
  const lines = (await registry.metrics()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'tri_agent_tasks{lane="critical",status="running"} 1',
      'tri_agent_tasks{lane="normal",status="ready"} 1',
      'tri_agent_workers 1',
      'tri_agent_cool_downs 0',
      'tri_agent_shard_served_per_hour_per_slot{shard="impl"} Nan',
    ]),
  );
});

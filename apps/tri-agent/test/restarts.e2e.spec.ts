import { survivesRestarts } from './restarts.js';

describe('Real exporters, while the server is killed and started again', () => {
  test('lose no batch, and every session costs exactly what was sent', async () => {
    const report = await survivesRestarts(4, 3, () => undefined);
    expect(report).toMatchObject({ restarts: 3, batchesLost: 0, wrongSessions: [] });
    expect(report.requestsMade).toBeGreaterThan(4 * 3);
  });
});

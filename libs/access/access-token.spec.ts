import { AccessToken } from './access-token.js';

describe('The access token', () => {
  test('matches itself and nothing else', () => {
    const token = new AccessToken('a token of this server');
    expect(token.matches('a token of this server')).toBe(true);
    expect(token.matches('a token of this serveR')).toBe(false);
    expect(token.matches('')).toBe(false);
  });
});

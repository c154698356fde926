import { Redactor } from '#platform/redaction.js';
import { isPublicAddress } from './addresses.policy.js';
import { checkUrl } from './webhook-url.policy.js';

const redactor = new Redactor([/corp-[0-9]{6}/]);
const check = (url: string, allowPrivate = false) =>
  checkUrl(url, allowPrivate, (text) => redactor.text(text) !== text);

describe('An address', () => {
  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '192.167.1.1', '2606:4700:4700::1111'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '10.1.2.3', '172.16.0.1'],
    ...['172.31.255.255', '192.168.0.1', '169.254.169.254', '100.64.0.1', '100.100.100.200'],
    ...['168.63.129.16', '192.0.0.192', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1'],
    ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', '192.88.99.1'],
    ...['::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8'],
    ...['::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::7f00:1', '2002:7f00:1::', '2001::1'],
    ...['fe80::1', 'fe80::1%eth0', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '4000::1'],
    ...['2001:db8::1', '3fff::1', '5f00::1', '100::1', 'a000::1', '', 'localhost', '8.8.8.8.8'],
  ])('%j is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('A URL of a webhook', () => {
  test('is kept in the one way to write it', () => {
    expect(check('HTTPS://Hooks.Example.com:443/a/../b?team=core')).toEqual({
      url: 'https://hooks.example.com/b?team=core',
    });
    expect(check('https://hooks.example.com:8443/')).toEqual({
      url: 'https://hooks.example.com:8443/',
    });
  });

  test.each([
    ['no address', 'It is no URL'],
    ['ftp://hooks.example.com/', 'must begin with https://'],
    ['file:///etc/passwd', 'must begin with https://'],
    ['javascript:alert(1)', 'must begin with https://'],
    ['http://hooks.example.com/', 'only for webhooks that may be private'],
    ['https://127.0.0.1/', 'this host or into a private network'],
    ['https://2130706433/', 'this host or into a private network'],
    ['https://0x7f.1/', 'this host or into a private network'],
    ['https://[::ffff:127.0.0.1]/', 'this host or into a private network'],
    ['https://localhost/', 'this host or into a private network'],
    ['https://LOCALHOST./', 'this host or into a private network'],
    ['https://a.localhost/', 'this host or into a private network'],
    ['https://user:word@hooks.example.com/', 'user name or a password'],
    ['https://user@hooks.example.com/', 'user name or a password'],
    ['https://hooks.example.com/#part', 'a part after #'],
    ['https://hooks.example.com/?token=abc', 'looks like a secret'],
    ['https://hooks.example.com/?apiKey=abc', 'looks like a secret'],
    ['https://hooks.example.com/?X-Amz-Signature=abc', 'looks like a secret'],
    [
      'https://hooks.example.com/?a=ghp_0123456789abcdefghijABCDEFGHIJ012345',
      'looks like a secret',
    ],
    ['https://hooks.example.com/corp-123456', 'looks like a secret'],
    ['https://hooks.example.com/%63orp-123456', 'looks like a secret'],
    [`https://hooks.example.com/${'a'.repeat(2_000)}`, 'more than 2000 characters'],
  ])('is refused when it is %j', (url, why) => {
    expect(check(url)).toEqual({ fault: expect.stringContaining(why) as string });
  });

  test('may lead anywhere, and be plain, where that was allowed', () => {
    expect(check('http://localhost:9999/hook', true)).toEqual({
      url: 'http://localhost:9999/hook',
    });
    expect(check('https://10.0.0.7/hook', true)).toEqual({ url: 'https://10.0.0.7/hook' });
    expect(check('ftp://10.0.0.7/hook', true)).toHaveProperty('fault');
    expect(check('http://a:b@10.0.0.7/hook', true)).toHaveProperty('fault');
  });
});

import ipaddr from 'ipaddr.js';

/**
 * Addresses that a notice may be sent to without further ado: those of the public internet. The list
 * of what is not public is the library's; everything that it has a name for is refused, and so are
 * addresses of IPv6 beyond those that were ever given out (2000::/3), among them every way of writing
 * an IPv4 address as one.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed instanceof ipaddr.IPv6) return parsed.match(givenOut);
  return !ownedByCloudHosts.some((owned) => parsed.match(owned));
}

const givenOut = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public by their number, yet the host's own services answer there: Azure's metadata and agents. */
const ownedByCloudHosts = [ipaddr.IPv4.parseCIDR('168.63.129.16/32')];

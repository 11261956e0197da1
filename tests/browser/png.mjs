// Pictures made by code: hills under a sky, different for each seed, in a real PNG.
import { crc32, deflateSync } from 'node:zlib'

export function png(width, height, seed) {
  const rows = Buffer.alloc(height * (1 + width * 3))
  for (let y = 0; y < height; y += 1) {
    const row = y * (1 + width * 3)
    for (let x = 0; x < width; x += 1) rows.set(colour(x / width, y / height, seed), row + 1 + x * 3)
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  // Eight bits, three colours.
  head.set([8, 2], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

function colour(x, y, seed) {
  let shade = [235 - 60 * y + seed, 200 - 40 * y, 170 + 50 * y - seed]
  for (let hill = 0; hill < 4; hill += 1) {
    const line = 0.42 + hill * 0.15 + 0.06 * Math.sin(x * (5 + hill * 2) + seed * (hill + 1)) + 0.02 * Math.sin(x * 23 + seed)
    if (y > line) shade = [180 - hill * 38, 130 - hill * 30, 120 - hill * 18 + (seed % 7) * 8]
  }
  return shade.map((value) => Math.max(0, Math.min(255, Math.round(value))))
}

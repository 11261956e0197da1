// How numbers read to people. Pure.

/** Bytes in decimal units: `2.7 MB`. The same rule as on the pages that the server makes. */
export function bytes(count) {
  let size = Math.max(0, count)
  if (size < 999.5) return `${Math.round(size)} bytes`
  for (const unit of ['kB', 'MB', 'GB']) {
    size /= 1000
    if (size < 999.5) return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${unit}`
  }
  size /= 1000
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} TB`
}

export const pictures = (count) => (count === 1 ? '1 picture' : `${count} pictures`)

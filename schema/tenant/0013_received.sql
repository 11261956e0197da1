-- SHA-256 of the file as it came, before anything was taken out of it: by this whoever has the
-- file asks whether it is here. Absent where the item shows only a part of what came, and of items
-- that are older than this column.
ALTER TABLE media ADD COLUMN received_sha256 BLOB
    CHECK (received_sha256 IS NULL OR length(received_sha256) = 32);
CREATE INDEX media_received ON media (owner_id, received_sha256)
    WHERE received_sha256 IS NOT NULL AND trashed_at IS NULL;

-- What the item is called in its owner's folders over WebDAV, where that is not its file name.
ALTER TABLE media ADD COLUMN dav_name TEXT;

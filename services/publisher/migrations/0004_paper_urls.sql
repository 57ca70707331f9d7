-- Where a paper of a source beside arXiv is shown: a blog's post has no address that follows from its id.
ALTER TABLE papers ADD COLUMN url text;

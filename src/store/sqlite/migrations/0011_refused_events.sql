-- Events of a stream that were refused and are not known to be put aside, with the reasons: [{"id": …, "reason": …}], or NULL. Their
-- reader puts them aside after the commit; one that takes over knows from here which it has to.
ALTER TABLE event_places ADD COLUMN refused_json TEXT;

"""Finding who supplies: tenders with sealed bids, auctions. Each is a capability of its own below this folder."""

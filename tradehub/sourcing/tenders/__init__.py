"""Tenders: many suppliers asked at once, their bids sealed until a time, compared at landed cost, awarded by line."""

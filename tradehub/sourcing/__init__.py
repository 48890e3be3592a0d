"""Sourcing: how one side finds the other by competition, in tenders and in auctions."""
